// Prometheus' text format, version 0.0.4.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace control {

struct Label {
  std::string_view name;
  std::string value;
};
using Labels = std::span<const Label>;

// One metric after the other.
class MetricsText {
 public:
  // All samples of a metric follow its heading.
  void heading(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  // `of`: a list of labels.
  void sample(std::initializer_list<Label> of, uint64_t value) { sample(Labels(of), value); }
  void sample(Labels labels, uint64_t value) { line(labels, std::to_string(value)); }
  void sample(std::initializer_list<Label> of, double value) { sample(Labels(of), value); }
  void sample(Labels labels, double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.9g", value);
    line(labels, text);
  }
  std::string take() { return std::move(out_); }

 private:
  // A label value, escaped as the format says.
  static std::string escape(std::string_view value) {
    std::string out;
    for (const char c : value) {
      if (c == '\\' || c == '"') out.push_back('\\');
      if (c == '\n') {
        out += "\\n";
      } else {
        out.push_back(c);
      }
    }
    return out;
  }
  void line(Labels labels, std::string_view value) {
    out_ += name_;
    char separator = '{';
    for (const Label& label : labels) {
      out_.push_back(separator);
      out_.append(label.name).append("=\"").append(escape(label.value)).append("\"");
      separator = ',';
    }
    if (!labels.empty()) out_.push_back('}');
    out_.append(" ").append(value).append("\n");
  }

  std::string name_, out_;
};

}  // namespace control
