// UploadsApplier: the uploads as a model, checked and given to whoever carries models out. What is
// carried out already is not touched again.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/model/model.h"
#include "agent/octavia/parts.h"
#include "agent/octavia/translate.h"

namespace octavia {

// translate(), with a text for HAProxy that is another one when its certificates are.
base::Result<model::Model> model_of(const Uploads& uploads, const Uuid& amphora);

// Told why a text is none.
using LeftOut = std::function<void(const std::string& reason)>;
// model_of() without the texts that are none by themselves: another version may have taken them.
// They are taken out of `uploads`.
base::Result<model::Model> model_of_readable(Uploads& uploads, const Uuid& amphora,
                                             const LeftOut& left_out);

class UploadsApplier final : public Applier {
 public:
  struct Means {
    Checker& checker;  // outlives it
    // Returns when the machine is as the model says.
    std::function<Awaited<base::Status>(model::Model)> carry_out;
    std::function<int()> haproxy_count;  // HAProxy processes that run now
    // Told of what is about to be carried out, be it only another log; may be empty.
    std::function<void(const Uploads&)> applies = {};
  };
  UploadsApplier(const Uuid& amphora, Means means) : amphora_(amphora), means_(std::move(means)) {}

  Awaited<base::Status> examine(Uploads uploads, Document document) override;
  Awaited<base::Status> apply(Uploads uploads, std::set<Uuid> stopped) override;
  std::vector<ShownListener> listeners(Uploads uploads) override;
  int haproxy_count() override { return means_.haproxy_count(); }

 private:
  LeftOut say_once();
  bool was_checked(const model::Amphora& amphora) const;

  Uuid amphora_;
  Means means_;
  std::set<std::string> left_out_;         // why; said once
  std::optional<model::Amphora> checked_;  // whose text HAProxy found good the last time
  std::optional<model::Model> carried_;    // none: what the machine does is not known
};

}  // namespace octavia
