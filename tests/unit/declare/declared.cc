#include "tests/unit/declare/declared.h"

#include <map>
#include <sstream>

#include "agent/model/show/query.h"

namespace model {
namespace {

json present(const Model& m) {
  json all = json::array();
  for (const auto& [id, lb] : m.load_balancers) all.push_back(show_tree(m, lb));
  return all;
}

const std::map<std::string, Kind> kKinds{{"loadbalancers", Kind::load_balancer},
                                         {"listeners", Kind::listener},
                                         {"pools", Kind::pool},
                                         {"members", Kind::member},
                                         {"healthmonitors", Kind::health_monitor},
                                         {"l7policies", Kind::l7policy},
                                         {"rules", Kind::l7rule}};

// The API behind the requests.
Outcome<Edited> send(const Model& m, const ApiRequest& request) {
  std::vector<std::string> parts;
  std::istringstream in(request.path.substr(std::string("/v2/lbaas/").size()));
  for (std::string part; std::getline(in, part, '/');) parts.push_back(part);
  const size_t at = parts.size() > 2 ? 2 : 0;  // of a collection in a resource, or of its own
  const Kind kind = kKinds.at(parts[at]);
  const auto id = [&](size_t i) {
    return parts.size() > i ? Uuid::parse(parts[i]).value_or(Uuid{}) : Uuid{};
  };
  const Uuid parent = at == 2 ? id(1) : Uuid{};
  const Uuid own = id(at + 1);
  if (request.method == "POST") return create(m, kind, parent, request.body, kNow);
  if (request.method == "DELETE") return remove(m, kind, parent, own, Cascade::no, kNow);
  if (kind == Kind::member && own.is_nil())
    return replace_members(m, parent, request.body, Additive::no, kNow);
  return update(m, kind, parent, own, request.body, kNow);
}

}  // namespace

std::vector<ApiRequest> Declared::requests() const {
  auto result = declare(wanted, present(h.model));
  if (result) return *result;
  ADD_FAILURE() << result.error().message();
  return {};
}

std::string Declared::error() const {
  auto result = declare(wanted, present(h.model));
  return result ? "accepted" : result.error().message();
}

std::vector<std::string> Declared::changes() const {
  std::vector<std::string> lines;
  for (const ApiRequest& r : requests())
    lines.insert(lines.end(), r.changes.begin(), r.changes.end());
  return lines;
}

void Declared::apply() {
  std::map<std::string, std::string> ids;
  for (const ApiRequest& r : requests()) {
    auto resolved = resolve(r, ids);
    ASSERT_TRUE(resolved) << resolved.error().message();
    Edited edited = accepted(send(h.model, *resolved));
    if (!r.label.empty()) ids[r.label] = edited.id.text();
    h.model = settled(edited.model);
  }
  EXPECT_THAT(changes(), ::testing::IsEmpty());
}

}  // namespace model
