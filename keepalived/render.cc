#include "keepalived/render.h"

#include <cstdio>

namespace keepalived {

namespace {

class Text {
 public:
  void begin(const std::string& title) { add(title + " {"), depth_++; }
  void end() { depth_--, add("}"); }
  void add(const std::string& line) { text_ += std::string(depth_ * 4, ' ') + line + "\n"; }
  void add(const char* word, int value) { add(std::string(word) + " " + std::to_string(value)); }
  void list(const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    begin(title);
    for (const std::string& line : lines) add(line);
    end();
  }
  std::string take() && { return std::move(text_); }

 private:
  std::string text_;
  size_t depth_ = 0;
};

std::vector<std::string> texts(const std::vector<base::IpAddress>& addresses) {
  std::vector<std::string> all;
  all.reserve(addresses.size());
  for (const base::IpAddress& address : addresses) all.push_back(address.text());
  return all;
}

// "1", "0.1", "0.25"
std::string seconds(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof(text), "%lld.%02lld", static_cast<long long>(time.count() / 1000),
                static_cast<long long>(time.count() % 1000 / 10));
  std::string trimmed = text;
  trimmed.erase(trimmed.find_last_not_of('0') + 1);
  if (trimmed.back() == '.') trimmed.pop_back();
  return trimmed;
}

void add_script(const CheckScript& script, Text& out) {
  out.begin("vrrp_script " + script.name);
  out.add("script " + script.path);
  out.add("interval", script.interval);
  if (script.timeout) out.add("timeout", *script.timeout);
  out.add("fall", script.fall);
  out.add("rise", script.rise);
  out.end();
}

void add_authentication(const Instance& instance, Text& out) {
  if (instance.password.empty()) return;
  out.begin("authentication");
  out.add("auth_type PASS");
  out.add("auth_pass " + instance.password);
  out.end();
}

}  // namespace

std::string render(const Instance& instance) {
  Text out;
  for (const CheckScript& script : instance.scripts) add_script(script, out);
  out.begin("vrrp_instance " + instance.name);
  out.add("version", instance.version == Instance::Version::v3 ? 3 : 2);
  if (instance.start == Instance::Start::master) out.add("state MASTER");
  if (instance.start == Instance::Start::backup) out.add("state BACKUP");
  out.add("interface " + instance.interface);
  out.add("virtual_router_id", instance.router_id);
  out.add("priority", instance.priority);
  out.add("advert_int " + seconds(instance.advert));
  if (instance.nopreempt) out.add("nopreempt");
  if (instance.accept) out.add("accept");
  if (instance.garp_refresh) out.add("garp_master_refresh", *instance.garp_refresh);
  if (instance.garp_refresh_repeat)
    out.add("garp_master_refresh_repeat", *instance.garp_refresh_repeat);
  add_authentication(instance, out);
  if (instance.source) out.add("unicast_src_ip " + instance.source->text());
  out.list("unicast_peer", texts(instance.peers));
  out.list("virtual_ipaddress", texts(instance.vips));
  std::vector<std::string> along = texts(instance.excluded);
  for (const Floating& one : instance.floating)
    along.push_back(one.address.text() + " dev " + one.interface);
  out.list("virtual_ipaddress_excluded", along);
  out.list("virtual_routes", instance.routes);
  out.list("virtual_rules", instance.rules);
  std::vector<std::string> names;
  for (const CheckScript& script : instance.scripts) names.push_back(script.name);
  out.list("track_script", names);
  out.end();
  return std::move(out).take();
}

void place_vips(Instance& instance, const std::vector<base::IpAddress>& vips) {
  if (vips.empty()) return;
  const base::Family family = instance.source ? instance.source->family() : vips.front().family();
  for (const base::IpAddress& vip : vips)
    (vip.family() == family ? instance.vips : instance.excluded).push_back(vip);
}

}  // namespace keepalived
