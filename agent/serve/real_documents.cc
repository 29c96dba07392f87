#include "agent/serve/real_documents.h"

namespace serve {

using base::Result;
using base::Status;
using octavia::Awaited;
using octavia::Document;

Awaited<Result<std::optional<std::string>>> RealDocuments::read(Document document) {
  auto read = [this, document = std::move(document)] { return files_.read(document); };
  co_return co_await worker_.run(std::move(read));
}

Awaited<Status> RealDocuments::write(Document document, std::string bytes) {
  auto write = [this, document = std::move(document), bytes = std::move(bytes)] {
    return files_.write(document, bytes);
  };
  co_return co_await worker_.run(std::move(write));
}

Awaited<Status> RealDocuments::remove(Document document) {
  auto remove = [this, document = std::move(document)] { return files_.remove(document); };
  co_return co_await worker_.run(std::move(remove));
}

Awaited<Status> RealDocuments::forget(octavia::Uuid load_balancer) {
  auto forget = [this, load_balancer] { return files_.forget(load_balancer); };
  co_return co_await worker_.run(std::move(forget));
}

Awaited<Result<octavia::Uploads>> RealDocuments::uploads() {
  auto read = [this] { return files_.uploads(); };
  co_return co_await worker_.run(std::move(read));
}

}  // namespace serve
