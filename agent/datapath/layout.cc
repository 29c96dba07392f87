#include "agent/datapath/layout.h"

#include <algorithm>
#include <bit>
#include <cerrno>

namespace datapath {
namespace {

using base::Error;
using base::Result;

// Narrowing and widening keep the first bytes.
static_assert(std::endian::native == std::endian::little);

uint32_t resolved(const btf* types, uint32_t type) {
  for (const btf_type* t = btf__type_by_id(types, type);
       t != nullptr && (btf_is_mod(t) || btf_is_typedef(t)); t = btf__type_by_id(types, type))
    type = t->type;
  return type;
}

void add_fields(const btf* types, uint32_t type, uint32_t offset, const std::string& name,
                Layout& layout) {
  type = resolved(types, type);
  const btf_type* t = btf__type_by_id(types, type);
  if (t == nullptr) return;
  if (!btf_is_composite(t)) {
    const auto size = static_cast<uint32_t>(std::max<int64_t>(btf__resolve_size(types, type), 0));
    layout.fields.push_back({name, offset, size});
    return;
  }
  const btf_member* members = btf_members(t);
  for (uint32_t i = 0; i < btf_vlen(t); i++) {
    const std::string own = btf__name_by_offset(types, members[i].name_off);
    const std::string dot = name.empty() || own.empty() ? "" : ".";
    add_fields(types, members[i].type, offset + btf_member_bit_offset(t, i) / 8, name + dot + own,
               layout);
  }
}

Layout layout(const btf* types, uint32_t type) {
  Layout layout;
  layout.size = static_cast<uint32_t>(std::max<int64_t>(btf__resolve_size(types, type), 0));
  add_fields(types, type, 0, "", layout);
  return layout;
}

}  // namespace

const Layout::Field* Layout::find(std::string_view name) const {
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [name](const Field& field) { return field.name == name; });
  return it == fields.end() ? nullptr : &*it;
}

Translation::Translation(const Layout& from, const Layout& to) : size_(to.size) {
  for (const Layout::Field& field : to.fields)
    if (const Layout::Field* old = from.find(field.name))
      pieces_.push_back({old->offset, field.offset, std::min(old->size, field.size)});
}

void Translation::copy(const uint8_t* from, uint8_t* to) const {
  for (const Piece& piece : pieces_) std::memcpy(to + piece.to, from + piece.from, piece.size);
}

std::vector<uint8_t> Translation::operator()(Bytes value) const {
  std::vector<uint8_t> out(size_);
  copy(value.data(), out.data());
  return out;
}

Result<std::optional<MapTypes>> MapTypes::of(const bpf_map_info& map) {
  if (map.btf_id == 0 || map.btf_value_type_id == 0) return std::optional<MapTypes>{};
  MapTypes types;
  types.types_.reset(btf__load_from_kernel_by_id(map.btf_id));
  if (types.types_ == nullptr)
    return Error{errno, std::string("read the types of map ") + map.name};
  types.key_ = layout(types.types_.get(), map.btf_key_type_id);
  types.value_ = layout(types.types_.get(), map.btf_value_type_id);
  if (types.key_.size != map.key_size || types.value_.size != map.value_size)
    return Error{0, std::string("map ") + map.name + " is not as its types say"};
  return std::optional(std::move(types));
}

MapTypes::Names MapTypes::names(const char* enumeration) const {
  Names names;
  const int32_t type = btf__find_by_name_kind(types_.get(), enumeration, BTF_KIND_ENUM);
  const btf_type* t = type < 0 ? nullptr : btf__type_by_id(types_.get(), type);
  if (t == nullptr) return names;
  const struct btf_enum* values = btf_enum(t);
  for (uint32_t i = 0; i < btf_vlen(t); i++)
    names[btf__name_by_offset(types_.get(), values[i].name_off)] =
        static_cast<uint32_t>(values[i].val);
  return names;
}

}  // namespace datapath
