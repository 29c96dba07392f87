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
  std::string name;
  Direction direction;
};

// A list request, understood.
struct Query {
  std::optional<size_t> limit;
  std::string marker;  // "": from the start
  bool reverse = false;
  std::vector<SortKey> sort;
  std::set<std::string> fields;  // empty: all
  std::map<std::string, std::string> filters;
  std::map<std::string, std::set<std::string>> tags;  // by kTagFilters
};

const json& example(Kind kind) {
  static const std::map<Kind, json> examples{
      {Kind::load_balancer, show(Model{}, LoadBalancer{})},
      {Kind::listener, show(Model{}, Listener{})},
      {Kind::pool, show(Model{}, Pool{})},
      {Kind::member, show(Model{}, Member{})},
      {Kind::health_monitor, show(Model{}, HealthMonitor{})},
      {Kind::l7policy, show(Model{}, L7Policy{})},
      {Kind::l7rule, show(Model{}, L7Rule{})},
  };
  return examples.at(kind);
}

bool can_filter(Kind kind, const std::string& name) {
  bool child = kind == Kind::listener || kind == Kind::pool;
  return example(kind).contains(name) || (child && name == "loadbalancer_id");
}

bool can_sort(Kind kind, const std::string& name) {
  auto value = example(kind).find(name);
  return value != example(kind).end() && !value->is_structured();
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

Outcome<SortKey> read_sort_key(Kind kind, const std::string& name, const std::string& direction) {
  if (!can_sort(kind, name)) return Fault{400, "Supplied sort key '" + name + "' is not valid."};
  std::string word = lower(direction);
  if (word != "asc" && word != "desc")
    return Fault{400, "Supplied sort direction '" + word + "' is not valid."};
  return SortKey{name, word == "asc" ? Direction::ascending : Direction::descending};
}

// "sort=key[:dir],..." or "sort_key=key,..." with "sort_dir=dir,...", whose rest is ascending.
Outcome<std::vector<SortKey>> read_sort(Kind kind,
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
    if (example(kind).contains(name)) wanted.emplace_back(name, "asc");
  std::vector<SortKey> keys;
  for (const auto& [name, direction] : wanted) {
    auto key = read_sort_key(kind, name, direction);
    if (auto* fault = std::get_if<Fault>(&key)) return *fault;
    keys.push_back(std::get<SortKey>(key));
  }
  return keys;
}

Outcome<Query> read_query(Kind kind, const QueryParameters& parameters) {
  const Fault bad{400, "One or more arguments are either duplicate or invalid"};
  Query query;
  std::map<std::string, std::string> paging;
  for (const auto& [name, value] : parameters) {
    if (name == "fields") {
      query.fields.insert(value);
    } else if (kTagFilters.contains(name)) {
      for (const std::string& tag : split(value, ',')) query.tags[name].insert(tag);
    } else if (kPaging.contains(name)) {
      if (!paging.emplace(name, value).second) return bad;
    } else if (!can_filter(kind, name) || !query.filters.emplace(name, value).second) {
      return bad;
    }
  }
  if (auto limit = paging.find("limit"); limit != paging.end()) {
    auto read = read_limit(limit->second);
    if (auto* fault = std::get_if<Fault>(&read)) return *fault;
    query.limit = std::get<std::optional<size_t>>(read);
  }
  auto sort = read_sort(kind, paging);
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
  for (const auto& [name, wanted] : query.filters)
    if (!matches(resource[name == "loadbalancer_id" ? "loadbalancers" : name], wanted))
      return false;
  return has_tags(resource, query.tags);
}

// A shown resource, with what it is sorted by: looking that up for each comparison costs more than
// all the rest of a list. Never copied.
struct Row {
  json shown;
  std::vector<const json*> keys;  // into `shown`, as in Query::sort

  Row(json resource, const Query& query) : shown(std::move(resource)) {
    keys.reserve(query.sort.size());
    static const json kNull;
    for (const SortKey& key : query.sort) {
      auto value = std::as_const(shown).find(key.name);
      keys.push_back(value == shown.cend() ? &kNull : &*value);
    }
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

}  // namespace

Outcome<json> list(Kind kind, std::vector<json> shown, const QueryParameters& parameters,
                   const std::string& base_href) {
  auto read = read_query(kind, parameters);
  if (auto* fault = std::get_if<Fault>(&read)) return *fault;
  const Query& query = std::get<Query>(read);
  std::optional<Row> marker;
  if (!query.marker.empty()) {
    auto named = std::find_if(shown.begin(), shown.end(),
                              [&](const json& r) { return r["id"] == query.marker; });
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
    links.push_back(link(parameters, base_href, "previous", page.front().shown["id"]));
  if (query.limit && page.size() >= *query.limit)
    links.push_back(link(parameters, base_href, "next", page.back().shown["id"]));
  json answer = json::object();
  json& list = answer[plural(kind)] = json::array();
  for (Row& row : page) list.push_back(only(std::move(row.shown), query.fields));
  answer[plural(kind) + "_links"] = std::move(links);
  return answer;
}

json select_fields(const json& shown, const QueryParameters& parameters) {
  std::set<std::string> fields;
  for (const auto& [name, value] : parameters)
    if (name == "fields") fields.insert(value);
  return only(shown, fields);
}

}  // namespace model
