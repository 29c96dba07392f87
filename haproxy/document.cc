#include "haproxy/document.h"

#include <algorithm>
#include <array>

#include "haproxy/words.h"

namespace haproxy {

namespace {

// Every section of HAProxy 2.6 to 3.2: what is unknown to the one that runs, it refuses.
constexpr std::array<std::string_view, 20> kTitles{
    "global",      "defaults",    "frontend",    "backend",   "listen",         "peers", "userlist",
    "mailers",     "resolvers",   "cache",       "fcgi-app",  "program",        "ring",  "traces",
    "http-errors", "log-forward", "log-profile", "crt-store", "namespace_list", "acme"};

base::Error at(size_t number, const std::string& what) {
  return {0, "line " + std::to_string(number) + ": " + what};
}

}  // namespace

base::Result<Document> Document::parse(std::string text) {
  Document document(std::move(text));
  if (auto done = document.split(); !done) return done.error();
  if (auto done = document.find_sections(); !done) return done.error();
  return document;
}

base::Status Document::split() {
  while (starts_.back() < text_.size()) {
    const size_t number = starts_.size(), begin = starts_.back();
    const size_t end = std::min(text_.find('\n', begin), text_.size());
    const std::string_view line = std::string_view(text_).substr(begin, end - begin);
    if (end >= kMostBytes)
      return at(number, "the text is longer than " + std::to_string(kMostBytes) + " bytes");
    if (number > kMostLines)
      return at(number, "there are more than " + std::to_string(kMostLines) + " lines");
    if (line.size() > kMostLineBytes)
      return at(number, "it is longer than " + std::to_string(kMostLineBytes) + " bytes");
    if (line.find('\0') != line.npos) return at(number, "there is a NUL in it");
    if (end == text_.size()) return at(number, "its newline is missing: was the text cut off?");
    starts_.push_back(static_cast<uint32_t>(end + 1));
  }
  return base::Unit{};
}

base::Status Document::find_sections() {
  if (lines() > 0) sections_.push_back({"", "", 1, 1});
  for (uint32_t number = 1; number <= lines(); number++) {
    auto read = split_words(line(number));
    if (!read) return at(number, read.error().what);
    std::vector<std::string>& words = read->words;
    if (!words.empty() && std::find(kTitles.begin(), kTitles.end(), words[0]) != kTitles.end()) {
      if (number == 1) sections_.clear();
      if (sections_.size() >= kMostSections)
        return at(number, "there are more than " + std::to_string(kMostSections) + " sections");
      std::string name = words.size() > 1 ? std::move(words[1]) : "";
      sections_.push_back({std::move(words[0]), std::move(name), number, number});
    }
    sections_.back().end = number + 1;
  }
  return base::Unit{};
}

std::string_view Document::line(uint32_t number) const {
  const uint32_t begin = starts_[number - 1];
  return std::string_view(text_).substr(begin, starts_[number] - begin);
}

Words Document::words(uint32_t number) const { return *split_words(line(number)); }

std::string Document::without(const std::set<uint32_t>& numbers) const {
  std::string kept;
  kept.reserve(text_.size());
  for (uint32_t number = 1; number <= lines(); number++)
    if (!numbers.contains(number)) kept += line(number);
  return kept;
}

}  // namespace haproxy
