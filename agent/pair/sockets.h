// What both sides of a channel say to Asio.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>

#include "base/ip.h"

namespace pair {

// An error is a value, not an exception.
inline auto into(boost::system::error_code& error) {
  return boost::asio::redirect_error(boost::asio::use_awaitable, error);
}

inline boost::asio::ip::tcp::endpoint endpoint(const base::IpAddress& address, uint16_t port) {
  return {boost::asio::ip::make_address(address.text()), port};
}

}  // namespace pair
