#include "agent/cli/declare/declare.h"

#include <algorithm>
#include <optional>
#include <set>

#include "agent/cli/declare/declare_l7.h"
#include "agent/cli/declare/difference.h"
#include "agent/model/edit/edit.h"
#include "agent/model/edit/rules.h"
#include "agent/model/show/json.h"
#include "agent/model/show/query.h"

namespace model {

namespace {

using base::Error;
using base::Result;
using nlohmann::json;

const std::string kBase = "/v2/lbaas/";

// Compares one load balancer as wanted with the one that is there. Both as show_tree.
class Comparison {
 public:
  Comparison(const json& file, const json& wanted, const json& present)
      : file_(file), wanted_(wanted), present_(present), id_(present.at("id")) {}

  Result<std::vector<ApiRequest>> requests() {
    if (auto error = check_immutable()) return *error;
    if (auto error = match_pools()) return *error;
    match_listeners();
    update_load_balancer();
    remove_listeners();
    for (const json& pool : wanted_.at("pools")) make_pool(pool);
    for (const json& listener : wanted_.at("listeners")) make_listener(listener);
    remove_pools();
    return std::move(requests_);
  }

 private:
  using ListenerKey = std::pair<L4, int>;

  static ListenerKey key_of(const json& listener) {
    auto protocol = from_word<ListenerProtocol>(listener.at("protocol").get<std::string>());
    return {l4_of(protocol.value_or(ListenerProtocol::tcp)), listener.at("protocol_port")};
  }

  static std::pair<std::string, int> member_key(const json& member) {
    return {member.at("address"), member.at("protocol_port")};
  }

  // What can only be given at creation and is there in another shape.
  std::optional<Error> check_immutable() const {
    for (const Field<LoadBalancer>& field : table<LoadBalancer>()) {
      std::string name(field.name);
      bool given = file_.contains(name) && !file_.at(name).is_null();
      bool always = name == "vip_address" || name == "additional_vips";
      if ((field.use & kUpdate) || !field.shown() || !field.use || (!given && !always)) continue;
      if (wanted_.at(name) != present_.value(name, json()))
        return Error{0, "loadbalancer." + name + ": is " + plain(present_.value(name, json())) +
                            " on load balancer " + title(present_) +
                            " and cannot be changed; delete it first, or use another name"};
    }
    return std::nullopt;
  }

  std::optional<Error> match_pools() {
    std::set<std::string> names;
    for (const json& pool : wanted_.at("pools")) {
      std::string name = pool.at("name");
      names.insert(name);
      pool_names_[pool.at("id")] = name;
    }
    for (const json& pool : present_.at("pools")) {
      std::string name = pool.at("name");
      if (!names.contains(name)) {
        surplus_pools_.push_back(&pool);
      } else if (!pools_.emplace(name, &pool).second) {
        return Error{0, "loadbalancer.pools: two pools are named " + name + " on load balancer " +
                            title(present_) + "; rename one first"};
      }
    }
    for (const json& pool : wanted_.at("pools")) {
      auto found = pools_.find(pool.at("name"));
      if (found == pools_.end() || found->second->at("protocol") == pool.at("protocol")) continue;
      surplus_pools_.push_back(found->second);
      pools_.erase(found);
    }
    return std::nullopt;
  }

  void match_listeners() {
    std::map<ListenerKey, std::string> protocols;
    for (const json& listener : wanted_.at("listeners"))
      protocols[key_of(listener)] = listener.at("protocol");
    for (const json& listener : present_.at("listeners")) {
      auto wanted = protocols.find(key_of(listener));
      if (wanted != protocols.end() && wanted->second == listener.at("protocol"))
        listeners_[key_of(listener)] = &listener;
      else
        surplus_listeners_.push_back(&listener);
    }
  }

  // The pool's id, or what stands for it until it is made.
  std::string pool_reference(const std::string& name) const {
    auto kept = pools_.find(name);
    return kept == pools_.end() ? label_of(name) : kept->second->at("id").get<std::string>();
  }

  json default_pool_of(const json& wanted) const {
    const json& id = wanted.at("default_pool_id");
    return id.is_null() ? json(nullptr) : json(pool_reference(pool_names_.at(id)));
  }

  void update_load_balancer() {
    json changed = differences<LoadBalancer>(wanted_, present_);
    if (!changed.empty())
      requests_.push_back({"PUT",
                           kBase + "loadbalancers/" + id_,
                           {{"loadbalancer", changed}},
                           "",
                           describe("load balancer " + title(present_), changed, present_)});
  }

  void remove_listeners() {
    for (const json* listener : surplus_listeners_)
      requests_.push_back({"DELETE",
                           kBase + "listeners/" + listener->at("id").get<std::string>(),
                           nullptr,
                           "",
                           {"delete listener " + listener_title(*listener)}});
  }

  void remove_pools() {
    for (const json* pool : surplus_pools_)
      requests_.push_back({"DELETE",
                           kBase + "pools/" + pool->at("id").get<std::string>(),
                           nullptr,
                           "",
                           {"delete pool " + title(*pool)}});
  }

  void make_pool(const json& wanted) {
    std::string name = wanted.at("name");
    auto kept = pools_.find(name);
    if (kept == pools_.end()) {
      json body = creation<Pool>(wanted, Defaults::left_out);
      body["loadbalancer_id"] = id_;
      requests_.push_back(
          {"POST", kBase + "pools", {{"pool", body}}, label_of(name), {"create pool " + name}});
      make_members(wanted, json::array());
      make_monitor(wanted, nullptr);
      return;
    }
    const json& present = *kept->second;
    json changed = pool_differences(wanted, present);
    if (!changed.empty())
      requests_.push_back({"PUT",
                           kBase + "pools/" + pool_reference(name),
                           {{"pool", changed}},
                           "",
                           describe("pool " + name, changed, present)});
    make_members(wanted, present.at("members"));
    make_monitor(wanted, present.value("healthmonitor", json()));
  }

  // The type cannot be changed: another one is another monitor.
  void make_monitor(const json& pool, const json& present) {
    const json& wanted = pool.at("healthmonitor");
    const std::string what = "health monitor of pool " + pool.at("name").get<std::string>();
    const std::string path = kBase + "healthmonitors";
    bool same =
        wanted.is_object() && present.is_object() && wanted.at("type") == present.at("type");
    if (same) {
      json changed = differences<HealthMonitor>(wanted, present);
      if (!changed.empty())
        requests_.push_back({"PUT",
                             path + "/" + present.at("id").get<std::string>(),
                             {{"healthmonitor", changed}},
                             "",
                             describe(what, changed, present)});
      return;
    }
    if (present.is_object())
      requests_.push_back({"DELETE",
                           path + "/" + present.at("id").get<std::string>(),
                           nullptr,
                           "",
                           {"delete " + what}});
    if (!wanted.is_object()) return;
    json body = creation<HealthMonitor>(wanted, Defaults::left_out);
    body["pool_id"] = pool_reference(pool.at("name"));
    requests_.push_back({"POST", path, {{"healthmonitor", body}}, "", {"create " + what}});
  }

  // One difference is one request; several go as one batch, so that they come into force together.
  void make_members(const json& pool, const json& present) {
    std::map<std::pair<std::string, int>, const json*> there;
    for (const json& member : present) there[member_key(member)] = &member;
    std::string path = kBase + "pools/" + pool_reference(pool.at("name")) + "/members";
    std::string where = " of pool " + pool.at("name").get<std::string>();
    std::vector<ApiRequest> singles;
    json batch = json::array();
    bool whole = false;  // only a batch can do it
    for (const json& member : pool.at("members")) {
      batch.push_back(creation<Member>(member, Defaults::sent));
      auto found = there.find(member_key(member));
      if (found == there.end()) {
        singles.push_back({"POST",
                           path,
                           {{"member", creation<Member>(member, Defaults::left_out)}},
                           "",
                           {"create member " + member_title(member) + where}});
        continue;
      }
      const json& old = *found->second;
      json changed = differences<Member>(member, old);
      if (!member.at("subnet_id").is_null() &&
          member.at("subnet_id") != old.value("subnet_id", json())) {
        changed["subnet_id"] = member.at("subnet_id");
        whole = true;
      }
      if (!changed.empty())
        singles.push_back({"PUT",
                           path + "/" + old.at("id").get<std::string>(),
                           {{"member", changed}},
                           "",
                           describe("member " + member_title(member) + where, changed, old)});
      there.erase(found);
    }
    for (const auto& [key, member] : there)
      singles.push_back({"DELETE",
                         path + "/" + member->at("id").get<std::string>(),
                         nullptr,
                         "",
                         {"delete member " + member_title(*member) + where}});
    add_members(std::move(singles), path, std::move(batch), whole);
  }

  void add_members(std::vector<ApiRequest> singles, const std::string& path, json batch,
                   bool whole) {
    if (singles.size() == 1 && !whole) {
      requests_.push_back(std::move(singles[0]));
    } else if (!singles.empty()) {
      ApiRequest all{"PUT", path, {{"members", std::move(batch)}}, "", {}};
      for (ApiRequest& single : singles)
        std::move(single.changes.begin(), single.changes.end(), std::back_inserter(all.changes));
      requests_.push_back(std::move(all));
    }
  }

  void make_listener(const json& wanted) {
    json pool = default_pool_of(wanted);
    std::string what = "listener " + listener_title(wanted);
    auto kept = listeners_.find(key_of(wanted));
    if (kept == listeners_.end()) {
      json body = creation<Listener>(wanted, Defaults::left_out);
      body["loadbalancer_id"] = id_;
      if (!pool.is_null()) body["default_pool_id"] = pool;
      const std::string label = "<" + what + ">";
      requests_.push_back(
          {"POST", kBase + "listeners", {{"listener", body}}, label, {"create " + what}});
      compare_policies(wanted, label, json::array());
      return;
    }
    const json& present = *kept->second;
    json changed = differences<Listener>(wanted, present);
    auto lines = describe(what, changed, present);
    if (pool != present.value("default_pool_id", json())) {
      changed["default_pool_id"] = pool;
      lines.push_back("change default pool of " + what + " to " +
                      (pool.is_null() ? "none" : pool_names_.at(wanted.at("default_pool_id"))));
    }
    if (!changed.empty())
      requests_.push_back({"PUT",
                           kBase + "listeners/" + present.at("id").get<std::string>(),
                           {{"listener", changed}},
                           "",
                           std::move(lines)});
    compare_policies(wanted, present.at("id"), present.value("l7policies", json::array()));
  }

  void compare_policies(const json& wanted, const std::string& listener, const json& present) {
    auto name = [this](const json& id) { return pool_names_.at(id); };
    auto reference = [this](const json& id) { return pool_reference(pool_names_.at(id)); };
    for (ApiRequest& request : policy_requests({listener, "listener " + listener_title(wanted),
                                                wanted.at("l7policies"), present, reference, name}))
      requests_.push_back(std::move(request));
  }

  const json &file_, &wanted_, &present_;
  const std::string id_;
  std::map<std::string, const json*> pools_;  // there, to be kept, by name
  std::map<ListenerKey, const json*> listeners_;
  std::vector<const json*> surplus_pools_, surplus_listeners_;
  std::map<std::string, std::string> pool_names_;  // of wanted pools, by their made-up id
  std::vector<ApiRequest> requests_;
};

std::string counted(size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

ApiRequest creation_of(const json& body, const json& wanted) {
  size_t members = 0;
  for (const json& pool : wanted.at("pools")) members += pool.at("members").size();
  std::string line = "create load balancer " + title(wanted) + " at " +
                     plain(wanted.at("vip_address")) + " with " +
                     counted(wanted.at("listeners").size(), "listener") + ", " +
                     counted(wanted.at("pools").size(), "pool") + ", " + counted(members, "member");
  return {"POST", kBase + "loadbalancers", body, "", {line}};
}

// The load balancer that the file is about; null: none is there.
Result<const json*> find_present(const json& id, const json& wanted, const json& present) {
  if (!id.is_null()) {
    for (const json& lb : present)
      if (lb.at("id") == id) return &lb;
    return Error{0, "loadbalancer.id: no load balancer has the id " + plain(id)};
  }
  const json& name = wanted.at("name");
  const json* found = nullptr;
  for (const json& lb : present) {
    if (lb.at("name") != name) continue;
    if (found)
      return Error{0, "loadbalancer.name: two load balancers are named " + plain(name) +
                          "; say which one by \"id\""};
    found = &lb;
  }
  return found;
}

// Which certificates there are is for the agent to say.
const Context kAnyCertificate{
    Time{}, [](const std::string&, CertificateUse) { return std::optional<std::string>(); }};

Result<std::vector<ApiRequest>> compare(const json& file, const json& present) {
  json body = file;
  json id = nullptr;
  if (body.is_object() && body.contains("loadbalancer") && body["loadbalancer"].is_object()) {
    json& lb = body["loadbalancer"];
    if (auto given = lb.find("id"); given != lb.end()) {
      auto read = read_value("id", plain_type(ValueType::Form::uuid), *given);
      if (auto* fault = std::get_if<Fault>(&read)) return Error{0, "loadbalancer: " + fault->text};
      id = std::get<json>(read);
      lb.erase("id");
    }
  }
  auto made = create(Model{}, Kind::load_balancer, Uuid{}, body, kAnyCertificate);
  if (auto* fault = std::get_if<Fault>(&made))
    return Error{0, fault->where.empty() ? fault->text : fault->where + ": " + fault->text};
  const auto& edited = std::get<Edited>(made);
  json wanted = show_tree(edited.model, edited.model.load_balancers.at(edited.id));
  if (id.is_null() && wanted.at("name") == "")
    return Error{0, "loadbalancer.name: is missing; it says which load balancer is meant"};
  auto found = find_present(id, wanted, present);
  if (!found) return found.error();
  if (!*found) return std::vector<ApiRequest>{creation_of(body, wanted)};
  return Comparison(body["loadbalancer"], wanted, **found).requests();
}

}  // namespace

Result<std::vector<ApiRequest>> declare(const json& file, const json& present) {
  try {
    return compare(file, present);
  } catch (const json::exception& e) {
    // The file has been validated by then.
    return Error{0, std::string("the present state is not as the API shows it: ") + e.what()};
  }
}

Result<ApiRequest> resolve(const ApiRequest& request,
                           const std::map<std::string, std::string>& ids) {
  ApiRequest resolved = request;
  for (const auto& [label, id] : ids)
    if (size_t at = resolved.path.find(label); at != std::string::npos)
      resolved.path.replace(at, label.size(), id);
  if (resolved.path.find('<') != std::string::npos)
    return Error{0, "no id is known for " + resolved.path};
  for (const auto& [kind, field] :
       {std::pair{"listener", "default_pool_id"}, std::pair{"healthmonitor", "pool_id"},
        std::pair{"l7policy", "listener_id"}, std::pair{"l7policy", "redirect_pool_id"}}) {
    if (!resolved.body.is_object() || !resolved.body.contains(kind)) continue;
    json& attributes = resolved.body[kind];
    auto pool = attributes.find(field);
    if (pool == attributes.end() || !pool->is_string()) continue;
    auto text = pool->get<std::string>();
    if (text.empty() || text[0] != '<') continue;
    auto id = ids.find(text);
    if (id == ids.end()) return Error{0, "no id is known for " + text};
    *pool = id->second;
  }
  return resolved;
}

}  // namespace model
