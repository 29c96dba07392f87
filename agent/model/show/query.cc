#include "agent/model/show/query.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "agent/model/show/json.h"
#include "base/ascii.h"

namespace model {

namespace {

using nlohmann::json;

const std::set<std::string> kTagFilters{"tags", "tags-any", "not-tags", "not-tags-any"};
const std::set<std::string> kPaging{"limit",    "marker",   "page_reverse", "sort",
                                    "sort_key", "sort_dir", "fields"};

enum class Direction { ascending, descending };
struct SortKey {
  std::string attribute;
  Direction direction;
};

// A list request, understood.
struct Query {
  std::optional<size_t> limit;
  std::string marker;  // "": from the start
  bool reverse = false;
  std::vector<SortKey> sort;
  std::set<std::string> fields;                              // empty: all
  std::vector<std::pair<std::string, std::string>> filters;  // by attribute
  std::map<std::string, std::set<std::string>> tags;         // by kTagFilters
  std::string parent;
};

// The shown attribute that a query means by `name`; nullopt: none.
std::optional<std::string> attribute_of(const Listable& of, const std::string& name) {
  if (of.example.contains(name)) return name;
  for (const auto& [alias, attribute] : of.aliases)
    if (alias == name) return attribute;
  return std::nullopt;
}

// Lists are no order, but for those that stand for one id.
bool can_sort(const Listable& of, const std::string& name) {
  auto value = of.example.find(name);
  return value == of.example.end() || !value->is_structured();
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (size_t end = 0; end != std::string::npos; start = end + 1) {
    end = text.find(separator, start);
    parts.push_back(text.substr(start, end == std::string::npos ? end : end - start));
  }
  return parts;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

Outcome<std::optional<size_t>> read_limit(const std::string& text) {
  if (text == "infinite") return std::optional<size_t>();
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size())
    return Fault{400, "Supplied pagination limit '" + text + "' is not valid."};
  if (error == std::errc::result_out_of_range || value < 1) return std::optional<size_t>();
  return std::optional<size_t>(static_cast<size_t>(value));
}

Outcome<SortKey> read_sort_key(const Listable& of, const std::string& name,
                               const std::string& direction) {
  const auto attribute = attribute_of(of, name);
  if (!attribute || !can_sort(of, name))
    return Fault{400, "Supplied sort key '" + name + "' is not valid."};
  std::string word = lower(direction);
  if (word != "asc" && word != "desc")
    return Fault{400, "Supplied sort direction '" + word + "' is not valid."};
  return SortKey{*attribute, word == "asc" ? Direction::ascending : Direction::descending};
}

// "sort=key[:dir],..." or "sort_key=key,..." with "sort_dir=dir,...", whose rest is ascending.
Outcome<std::vector<SortKey>> read_sort(const Listable& of,
                                        const std::map<std::string, std::string>& paging) {
  std::vector<std::pair<std::string, std::string>> wanted;
  if (auto sort = paging.find("sort"); sort != paging.end() && !sort->second.empty()) {
    for (const std::string& part : split(sort->second, ',')) {
      auto pieces = split(part, ':');
      if (pieces.size() > 2) return Fault{400, "Supplied sort key '" + part + "' is not valid."};
      wanted.emplace_back(pieces[0], pieces.size() == 2 ? pieces[1] : "asc");
    }
  } else if (auto key = paging.find("sort_key"); key != paging.end() && !key->second.empty()) {
    std::vector<std::string> directions;
    if (auto dir = paging.find("sort_dir"); dir != paging.end() && !dir->second.empty())
      directions = split(dir->second, ',');
    auto keys = split(key->second, ',');
    directions.resize(std::max(directions.size(), keys.size()), "asc");
    for (size_t i = 0; i < keys.size(); i++) wanted.emplace_back(keys[i], directions[i]);
  }
  // What makes the order total, whatever else is asked for.
  for (const char* name : {"created_at", "id"})
    if (of.example.contains(name)) wanted.emplace_back(name, "asc");
  std::vector<SortKey> keys;
  for (const auto& [name, direction] : wanted) {
    auto key = read_sort_key(of, name, direction);
    if (auto* fault = std::get_if<Fault>(&key)) return *fault;
    keys.push_back(std::get<SortKey>(key));
  }
  return keys;
}

Outcome<Query> read_query(const Listable& of, const QueryParameters& parameters) {
  const Fault bad{400, "One or more arguments are either duplicate or invalid"};
  Query query;
  std::map<std::string, std::string> paging;
  std::set<std::string> filtered;
  for (const auto& [name, value] : parameters) {
    const auto attribute = attribute_of(of, name);
    if (name == "fields") {
      query.fields.insert(value);
    } else if (kTagFilters.contains(name)) {
      for (const std::string& tag : split(value, ',')) query.tags[name].insert(tag);
    } else if (kPaging.contains(name)) {
      if (!paging.emplace(name, value).second) return bad;
    } else if (!attribute || !filtered.insert(name).second) {
      return bad;
    } else {
      query.filters.emplace_back(*attribute, value);
    }
  }
  if (auto limit = paging.find("limit"); limit != paging.end()) {
    auto read = read_limit(limit->second);
    if (auto* fault = std::get_if<Fault>(&read)) return *fault;
    query.limit = std::get<std::optional<size_t>>(read);
  }
  auto sort = read_sort(of, paging);
  if (auto* fault = std::get_if<Fault>(&sort)) return *fault;
  query.sort = std::get<std::vector<SortKey>>(sort);
  query.marker = paging["marker"];
  query.reverse = lower(paging["page_reverse"]) == "true";
  return query;
}

bool is_true(const std::string& text) {
  static const std::set<std::string> kWords{"1", "t", "true", "on", "y", "yes"};
  return kWords.contains(lower(text));
}

// Lists match by what they hold: text, or objects by their id.
bool matches(const json& value, const std::string& wanted) {
  if (value.is_boolean()) return value.get<bool>() == is_true(wanted);
  if (value.is_string()) return value.get_ref<const std::string&>() == wanted;
  if (value.is_number()) return value.dump() == wanted;
  if (!value.is_array()) return false;
  return std::any_of(value.begin(), value.end(), [&](const json& item) {
    return matches(item.is_object() ? item.value("id", json()) : item, wanted);
  });
}

bool has_tags(const json& resource, const std::map<std::string, std::set<std::string>>& filters) {
  std::set<std::string> tags;
  for (const json& tag : resource["tags"]) tags.insert(tag.get<std::string>());
  for (const auto& [filter, wanted] : filters) {
    auto held = [&tags](const std::string& tag) { return tags.contains(tag); };
    bool all = std::all_of(wanted.begin(), wanted.end(), held);
    bool any = std::any_of(wanted.begin(), wanted.end(), held);
    if ((filter == "tags" && !all) || (filter == "tags-any" && !any) ||
        (filter == "not-tags" && all) || (filter == "not-tags-any" && any))
      return false;
  }
  return true;
}

bool passes(const json& resource, const Query& query) {
  for (const auto& [attribute, wanted] : query.filters) {
    const auto value = resource.find(attribute);
    const bool passed = attribute.empty() ? query.parent == wanted
                                          : value != resource.end() && matches(*value, wanted);
    if (!passed) return false;
  }
  return query.tags.empty() || has_tags(resource, query.tags);
}

// What a shown resource is sorted by under this attribute.
const json& sorted_by(const json& shown, const std::string& attribute) {
  static const json kNull;
  const auto value = shown.find(attribute);
  if (value == shown.end()) return kNull;
  if (!value->is_array()) return *value;
  return value->empty() ? kNull : value->front().at("id");
}

// A shown resource, with what it is sorted by: looking that up for each comparison costs more than
// all the rest of a list. Never copied.
struct Row {
  json shown;
  std::vector<const json*> keys;  // into `shown`, as in Query::sort

  Row(json resource, const Query& query) : shown(std::move(resource)) {
    keys.reserve(query.sort.size());
    for (const SortKey& key : query.sort)
      keys.push_back(&sorted_by(std::as_const(shown), key.attribute));
  }
  Row(Row&&) = default;  // an object's values stay where they are
  Row& operator=(Row&&) = default;
};

// Null comes before everything: nlohmann orders by type, then by value.
bool comes_before(const Row& a, const Row& b, const std::vector<SortKey>& sort) {
  for (size_t i = 0; i < sort.size(); i++) {
    const json &left = *a.keys[i], &right = *b.keys[i];
    if (left == right) continue;
    return (left < right) == (sort[i].direction == Direction::ascending);
  }
  return false;
}

std::string encoded(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  static constexpr std::string_view kPlain = "-._~:,";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = base::is_alphanumeric(c) || kPlain.find(c) != std::string_view::npos;
    if (plain)
      out += c;
    else
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

// The other parameters of the request go along, so that the next page is one of the same list.
json link(const QueryParameters& parameters, const std::string& base_href, const char* rel,
          const std::string& marker) {
  std::string query;
  auto add = [&query](const std::string& name, const std::string& value) {
    query += (query.empty() ? "?" : "&") + encoded(name) + "=" + encoded(value);
  };
  for (const char* first : {"limit", "sort", "sort_key"})
    for (const auto& [name, value] : parameters)
      if (name == first) add(name, value);
  static const std::set<std::string> kDone{"limit", "sort", "sort_key", "marker", "page_reverse"};
  for (const auto& [name, value] : parameters)
    if (!kDone.contains(name)) add(name, value);
  add("marker", marker);
  if (std::string_view(rel) == "previous") add("page_reverse", "True");
  return {{"rel", rel}, {"href", base_href + query}};
}

json only(json resource, const std::set<std::string>& fields) {
  if (fields.empty()) return resource;
  json kept = json::object();
  for (auto& [name, value] : resource.items())
    if (fields.contains(name)) kept[name] = std::move(value);
  return kept;
}

// The page of `sorted` that the query asks for; `marker` is the element it names, if any.
std::span<Row> cut(std::vector<Row>& sorted, const Row* marker, const Query& query) {
  auto first = sorted.begin(), last = sorted.end();
  auto before = [&query](const Row& a, const Row& b) { return comes_before(a, b, query.sort); };
  if (marker && query.reverse) last = std::lower_bound(first, last, *marker, before);
  if (marker && !query.reverse) first = std::upper_bound(first, last, *marker, before);
  auto count = static_cast<size_t>(last - first);
  if (query.limit && count > *query.limit) {
    auto skipped = static_cast<std::ptrdiff_t>(count - *query.limit);
    if (query.reverse)
      first += skipped;
    else
      last -= skipped;
  }
  return {first, last};
}

// Octavia's queries know attributes by the names of its data, too.
std::map<Kind, Listable> make_listables() {
  std::map<Kind, Listable> all;
  const auto add = [&all](Kind kind, json example, decltype(Listable::aliases) aliases) {
    aliases.emplace_back("enabled", "admin_state_up");
    const std::string name = plural(kind);
    all.emplace(kind, Listable{name, name + "_links", "id", std::move(example), aliases});
  };
  const std::vector<std::pair<std::string, std::string>> of_load_balancer{
      {"loadbalancer_id", "loadbalancers"}, {"load_balancer_id", "loadbalancers"}};
  auto of_listeners = of_load_balancer, of_pools = of_load_balancer;
  of_listeners.insert(of_listeners.end(),
                      {{"tls_certificate_id", "default_tls_container_ref"},
                       {"client_ca_tls_certificate_id", "client_ca_tls_container_ref"},
                       {"client_crl_container_id", "client_crl_container_ref"}});
  of_pools.insert(of_pools.end(), {{"healthmonitor_id", "healthmonitor_id"},  // null is not shown
                                   {"tls_certificate_id", "tls_container_ref"},
                                   {"ca_tls_certificate_id", "ca_tls_container_ref"},
                                   {"crl_container_id", "crl_container_ref"}});
  add(Kind::load_balancer, show(Model{}, LoadBalancer{}), {});
  add(Kind::listener, show(Model{}, Listener{}), of_listeners);
  add(Kind::pool, show(Model{}, Pool{}), of_pools);
  add(Kind::member, show(Model{}, Member{}), {{"pool_id", ""}, {"ip_address", "address"}});
  add(Kind::health_monitor, show(Model{}, HealthMonitor{}),
      {{"pool_id", "pools"},
       {"rise_threshold", "max_retries"},
       {"fall_threshold", "max_retries_down"}});
  add(Kind::l7policy, show(Model{}, L7Policy{}), {});
  add(Kind::l7rule, show(Model{}, L7Rule{}), {{"l7policy_id", ""}});
  return all;
}

}  // namespace

const Listable& listable(Kind kind) {
  static const std::map<Kind, Listable> all = make_listables();
  return all.at(kind);
}

Outcome<json> list(const Listable& of, std::vector<json> shown, const QueryParameters& parameters,
                   const std::string& base_href, const Uuid& parent) {
  auto read = read_query(of, parameters);
  if (auto* fault = std::get_if<Fault>(&read)) return *fault;
  Query& query = std::get<Query>(read);
  query.parent = parent.text();
  std::optional<Row> marker;
  if (!query.marker.empty()) {
    auto named = std::find_if(shown.begin(), shown.end(),
                              [&](const json& r) { return r.at(of.id) == query.marker; });
    if (named == shown.end())
      return Fault{400, "Supplied pagination marker '" + query.marker + "' is not valid."};
    marker.emplace(*named, query);
  }
  std::vector<Row> rows;
  rows.reserve(shown.size());
  for (json& resource : shown)
    if (passes(resource, query)) rows.emplace_back(std::move(resource), query);
  std::sort(rows.begin(), rows.end(),
            [&](const Row& a, const Row& b) { return comes_before(a, b, query.sort); });
  auto page = cut(rows, marker ? &*marker : nullptr, query);

  json links = json::array();
  if (!page.empty() && marker)
    links.push_back(link(parameters, base_href, "previous", page.front().shown.at(of.id)));
  if (query.limit && page.size() >= *query.limit)
    links.push_back(link(parameters, base_href, "next", page.back().shown.at(of.id)));
  json answer = json::object();
  json& list = answer[of.plural] = json::array();
  for (Row& row : page) list.push_back(only(std::move(row.shown), query.fields));
  answer[of.links] = std::move(links);
  return answer;
}

json select_fields(const json& shown, const QueryParameters& parameters) {
  std::set<std::string> fields;
  for (const auto& [name, value] : parameters)
    if (name == "fields") fields.insert(value);
  return only(shown, fields);
}

}  // namespace model
