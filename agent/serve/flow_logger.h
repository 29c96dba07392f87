// FlowLogger: a line for each connection of the datapath that has ended, where the listener's log
// goes, as HAProxy writes it. It is told by the sweep, and by the program of what that ends.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/datapath/flow_births.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/flow_witness.h"
#include "agent/datapath/tables.h"
#include "agent/flow_log/connection_log.h"
#include "agent/flow_log/format.h"
#include "agent/flow_log/writer.h"
#include "agent/reconcile/changes.h"
#include "agent/serve/config.h"
#include "agent/serve/flow_end.h"

namespace serve {

class FlowLogger final : public datapath::FlowWitness {
 public:
  // `flows` and `changes` outlive it. `config`: of all listeners; none: what was uploaded counts.
  FlowLogger(boost::asio::any_io_executor loop, datapath::FlowTable& flows,
             const reconcile::Changes& changes, std::optional<FlowLogConfig> config);
  ~FlowLogger() override;

  // What the numbers of the tables are.
  struct Names {
    struct Service {
      uint32_t id;
      base::Uuid listener;
      Shorter shorter;
    };
    struct Backend {
      uint32_t id;
      base::Uuid member, pool;
    };
    std::vector<Service> services;
    std::vector<Backend> backends;

    static Names of(const datapath::Tables& tables);
  };
  // As an amphora's uploads say it. Cheap.
  void set_logs(flow_log::ConnectionLogs logs) { said_ = std::move(logs); }
  // Whether learn() has to be told names.
  bool is_at_work() const { return is_wanted() || births_.has_value(); }
  // Before each pass over the table. Numbers that are not there any more keep their meaning.
  void learn(const Names& names);
  void stop();
  flow_log::Counts counts() const;

  void ticked() override;
  void met(const datapath::FlowLines& lines, uint32_t forward, uint64_t word) override;
  void ended(const datapath::FlowLines& lines, uint32_t forward, uint64_t word,
             const datapath::EndedFlow& flow) override;

 private:
  using Writers = std::vector<std::shared_ptr<flow_log::Writer>>;
  // Of a service.
  struct Log {
    flow_log::ConnectionLog as_said;  // what it was made of
    std::string listener;
    Shorter shorter = Shorter::client;
    flow_log::Format format;
    Writers writers;
  };
  struct Backend {
    base::Uuid member, pool;
  };

  bool is_wanted() const { return config_.has_value() || !said_.empty(); }
  std::optional<flow_log::ConnectionLog> said_of(const base::Uuid& listener) const;
  void learn(const Names::Service& service);
  flow_log::Connection connection_of(const datapath::FlowLines& lines, uint32_t forward,
                                     uint64_t word, const datapath::EndedFlow& flow,
                                     const Log& log) const;
  std::shared_ptr<flow_log::Writer> writer_of(const flow_log::ConnectionLog::Receiver& target);
  void forget_writers();

  boost::asio::any_io_executor loop_;
  datapath::FlowTable& flows_;
  const reconcile::Changes& changes_;
  std::optional<FlowLogConfig> config_;
  flow_log::ConnectionLogs said_;
  flow_log::Host host_;
  std::optional<datapath::FlowBirths> births_;    // as long as somebody wants a log
  std::vector<std::unique_ptr<const Log>> logs_;  // by service id; null: it has none
  std::vector<Backend> backends_;                 // by id
  std::map<flow_log::Target, std::shared_ptr<flow_log::Writer>> writers_;
  flow_log::Counts past_;  // of writers that are gone
};

}  // namespace serve
