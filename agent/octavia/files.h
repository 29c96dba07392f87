// Files: the uploads on disk, where the agent of Octavia keeps them (contract, 8.7), so that
// either can take the other's place. Blocks.
#pragma once

#include <optional>
#include <string>

#include "agent/octavia/parts.h"
#include "base/result.h"

namespace octavia {

struct Folders {
  std::string base_path, base_cert_dir;  // amphora-agent.conf's
  std::string server_certificate;        // agent_server_cert
  std::string config;                    // amphora-agent.conf itself
};

class Files {
 public:
  explicit Files(Folders folders) : folders_(std::move(folders)) {}

  std::string path_of(const Document& document) const;

  // As Documents says (parts.h).
  base::Result<std::optional<std::string>> read(const Document& document) const;
  base::Status write(const Document& document, const std::string& bytes) const;
  base::Status remove(const Document& document) const;
  base::Status forget(const Uuid& load_balancer) const;
  base::Result<Uploads> uploads() const;

 private:
  Folders folders_;
};

}  // namespace octavia
