#include "agent/serve/flow_logger.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "agent/datapath/abi.h"
#include "base/log.h"

namespace serve {

namespace {

using std::chrono::milliseconds;

std::string hostname() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "-";
}

// 0: no limit.
Shorter shorter_of(const lb_service& service) {
  const uint32_t client = service.client_timeout, member = service.member_timeout;
  return member != 0 && (client == 0 || member < client) ? Shorter::member : Shorter::client;
}

// Of a text that a user gave: one word, and no variable.
std::string word_of(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte <= ' ' || byte == 0x7f ? '?' : c;
    if (c == '%') out += '%';
  }
  return out.empty() ? "-" : out;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// What an ended flow was closed by was its last packet; what was given up lived until now.
milliseconds since_end(const datapath::EndedFlow& flow) {
  const bool by_packet =
      flow.expiry == datapath::Expiry::closed || flow.expiry == datapath::Expiry::reset;
  return by_packet ? std::min(flow.record.idle_client, flow.record.idle_member) : milliseconds(0);
}

}  // namespace

FlowLogger::FlowLogger(boost::asio::any_io_executor loop, datapath::FlowTable& flows,
                       const reconcile::Changes& changes, std::optional<FlowLogConfig> config)
    : loop_(std::move(loop)),
      flows_(flows),
      changes_(changes),
      config_(std::move(config)),
      host_{hostname(), ::getpid()} {}

FlowLogger::~FlowLogger() { flows_.set_witness(nullptr); }

FlowLogger::Names FlowLogger::Names::of(const datapath::Tables& tables) {
  Names names;
  names.services.reserve(tables.services.size());
  names.backends.reserve(tables.backends.size());
  for (const auto& [key, service] : tables.services)
    names.services.push_back(
        {service.id, datapath::from_abi(service.listener), shorter_of(service)});
  for (const auto& [id, backend] : tables.backends)
    names.backends.push_back(
        {id, datapath::from_abi(backend.member), datapath::from_abi(backend.pool)});
  return names;
}

// When nobody wants a log any more it goes on for listeners that have gone, as long as their flows
// may end.
void FlowLogger::learn(const Names& names) {
  if (!is_at_work()) return;
  if (!births_) {
    births_.emplace(flows_.memory());
    flows_.set_witness(this);
    logs_.resize(LB_MAX_SERVICES);
    backends_.resize(LB_MAX_BACKENDS);
  }
  for (const Names::Service& service : names.services)
    if (service.id < logs_.size()) learn(service);
  for (const Names::Backend& backend : names.backends)
    if (backend.id < backends_.size()) backends_[backend.id] = {backend.member, backend.pool};
  forget_writers();
  if (is_wanted() || std::ranges::any_of(logs_, [](const auto& log) { return log != nullptr; }))
    return;
  flows_.set_witness(nullptr);
  births_.reset();
  logs_.clear();
  backends_.clear();
}

std::optional<flow_log::ConnectionLog> FlowLogger::said_of(const base::Uuid& listener) const {
  if (!config_) {
    const auto said = said_.find(listener);
    if (said == said_.end()) return std::nullopt;
    return said->second;
  }
  const model::Model& model = changes_.model();
  const auto found = model.listeners.find(listener);
  if (found == model.listeners.end()) return std::nullopt;
  const model::LoadBalancer& lb = model.load_balancers.at(found->second.load_balancer);
  std::string format = config_->format;
  replace_all(format, "{{ project_id }}", word_of(lb.project_id));
  replace_all(format, "{{ lb_id }}", lb.id.text());
  return flow_log::ConnectionLog{{{config_->target, config_->facility}}, format};
}

void FlowLogger::learn(const Names::Service& service) {
  auto& log = logs_[service.id];
  auto said = said_of(service.listener);
  const std::string listener = service.listener.text();
  if (!said) {
    // A listener that is gone from what is wanted has flows that end now.
    if (log && log->listener == listener && !changes_.model().listeners.contains(service.listener))
      return;
    log.reset();
    return;
  }
  if (log && log->listener == listener && log->as_said == *said && log->shorter == service.shorter)
    return;
  auto made = std::make_unique<Log>();
  made->listener = listener;
  made->shorter = service.shorter;
  made->format = flow_log::Format::parse(said->format);
  for (const flow_log::ConnectionLog::Receiver& receiver : said->receivers)
    if (auto writer = writer_of(receiver)) made->writers.push_back(std::move(writer));
  made->as_said = std::move(*said);
  log = std::move(made);
}

std::shared_ptr<flow_log::Writer> FlowLogger::writer_of(
    const flow_log::ConnectionLog::Receiver& said) {
  const auto target = flow_log::target_of(said.address, said.facility);
  if (!target) {
    spdlog::warn("flow log: nothing is sent to {} {}", said.address, said.facility);
    return nullptr;
  }
  auto& writer = writers_[*target];
  flow_log::Limits limits;
  if (config_) limits.lines_per_second = config_->lines_per_second;
  if (!writer) writer = flow_log::Writer::start(loop_, *target, limits);
  return writer;
}

void FlowLogger::forget_writers() {
  const auto is_used = [this](const auto& writer) {
    return std::ranges::any_of(logs_, [&](const auto& log) {
      return log && std::ranges::find(log->writers, writer) != log->writers.end();
    });
  };
  for (auto one = writers_.begin(); one != writers_.end();) {
    if (is_used(one->second)) {
      ++one;
      continue;
    }
    past_.written += one->second->counts().written;
    past_.left_out += one->second->counts().left_out;
    one->second->stop();
    one = writers_.erase(one);
  }
}

void FlowLogger::stop() {
  for (const auto& [target, writer] : writers_) writer->stop();
}

flow_log::Counts FlowLogger::counts() const {
  flow_log::Counts sum = past_;
  for (const auto& [target, writer] : writers_) {
    sum.written += writer->counts().written;
    sum.left_out += writer->counts().left_out;
  }
  return sum;
}

void FlowLogger::ticked() { births_->sample(); }

void FlowLogger::met(const datapath::FlowLines& lines, uint32_t forward, uint64_t word) {
  births_->met(lines, forward, word);
}

void FlowLogger::ended(const datapath::FlowLines& lines, uint32_t forward, uint64_t word,
                       const datapath::EndedFlow& flow) {
  const datapath::FlowRecord& record = flow.record;
  if (record.service >= logs_.size() || record.backend >= backends_.size()) return;
  const Log* log = logs_[record.service].get();
  if (log == nullptr || log->writers.empty() || !is_connection(flow)) return;
  std::string line;
  for (const auto& writer : log->writers) {
    if (!writer->admits()) continue;
    if (line.empty())
      line = log->format.line(connection_of(lines, forward, word, flow, *log), host_);
    writer->write(line);
  }
}

flow_log::Connection FlowLogger::connection_of(const datapath::FlowLines& lines, uint32_t forward,
                                               uint64_t word, const datapath::EndedFlow& flow,
                                               const Log& log) const {
  const datapath::FlowRecord& record = flow.record;
  const Backend& backend = backends_[record.backend];
  const auto now = std::chrono::system_clock::now();
  flow_log::Connection connection;
  connection.client = record.client;
  connection.vip = record.vip;
  connection.source = record.snat;
  connection.member = record.member;
  connection.frontend = log.listener;
  connection.backend = backend.pool.text() + ":" + log.listener;
  connection.server = backend.member.text();
  connection.bytes_in = record.bytes_in;
  connection.bytes_out = record.bytes_out;
  connection.ended = now - since_end(flow);
  connection.state = end_of(flow, log.shorter);
  if (const auto tick = births_->of(lines, forward, word)) {
    const uint32_t ticks = datapath::shared(flows_.memory().clock().tick).load() - *tick;
    connection.begun = std::min(now - milliseconds(int64_t{ticks} * LB_TICK_MS), connection.ended);
  }
  return connection;
}

}  // namespace serve
