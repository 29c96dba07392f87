// The lines of a section of haproxy.cfg, one after the other.
#pragma once

#include <cstdint>
#include <string>

#include "agent/octavia/translate_words.h"
#include "haproxy/document.h"

namespace octavia {

// `read(words)` says of every line behind the title whether the datapath does what it says; of each
// that it does not, or that has a variable, `note(reason)` is told why.
template <class Read, class Note>
void read_lines(const haproxy::Document& document, const haproxy::Section& section, Read read,
                Note note) {
  for (uint32_t number = section.begin; number < section.end; number++) {
    const haproxy::Words line = document.words(number);
    if (line.words.empty()) continue;
    const bool is_title = number == section.begin;
    const bool understood = is_title ? line.words.size() == 2 : read(line.words);
    if (!understood || line.has_variable) note(not_understood(number, line.words));
  }
}

}  // namespace octavia
