// What the server of the API shows of itself in TLS.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "base/result.h"

namespace http {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// TLS 1.2 and newer. `certificate` is PEM, with its chain; `key` may be the same file. Errors name
// the file.
base::Result<TlsContext> server_tls(const std::string& certificate, const std::string& key);

// The same from one PEM text with certificate, chain and key in any order; and whoever connects
// must show a certificate of an authority in the file `client_ca`.
base::Result<TlsContext> mutual_tls(const std::string& pem, const std::string& client_ca);

}  // namespace http
