#pragma once
/// How a leg waits in offline work until its case is judged: a record of the sorter of legs, which
/// has what judging reads and nothing twice. Nothing of it outlives a run.
///
/// Key: tenant, flow, case key, time, and what orders legs of one time; its last bytes are the
/// event's number. Value: what the key does not say. Neither the paths of reads nor notes: no
/// verdict has them.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/case_record.h"
#include "model/event.h"

namespace helios::reconcile {

/// What extracting an event's legs has counted.
struct Extracted {
    std::uint64_t keyless = 0;
    bool unwanted = false;
    bool has_legs = false;
    std::optional<Instant> later;  ///< it, or one of its legs, is later than as_of
};

/// Where an event stands among others, whatever the order of lines.
struct EventPlace {
    std::uint64_t number = 0;  ///< in the order of lines
    bool received = false;     ///< it has a receive time
    Instant at;                ///< that, or none
    std::string order;         ///< among those of one instant
};

/// The order of events that were received at one instant: one that every permutation of the lines
/// agrees on. Positions: the log's own; a text that is no position of Helios orders by itself.
void append_order_of(std::string& out, const model::Event& event, std::string_view position,
                     std::string_view encoded);

/// Gets each leg. The last bytes of a key are the event's number.
using LegSink = std::function<Status(std::string_view key, std::string_view value)>;
inline constexpr std::size_t leg_number_bytes = sizeof(std::uint64_t) + sizeof(std::uint16_t);

void set_leg_number(char* end_of_key, std::uint64_t number);
std::uint64_t leg_number(std::string_view key);
/// The case's id is the first three parts of the key, each with its end.
std::size_t case_id_size(std::string_view key);
/// So many bytes at the begin of its key are those of any leg that takes its place (0: none does).
std::size_t same_leg_size(std::string_view value);

/// Makes keys and values of an event's legs in buffers that it keeps.
class LegWriter {
public:
    Status write(std::span<const model::LegRecord> legs, const model::Event& event,
                 const EventPlace& place, const std::optional<Instant>& as_of, Extracted& extracted,
                 const LegSink& sink);

private:
    void write_value(const model::LegRecord& leg, const model::Event& event, std::size_t same);

    std::string key_;
    std::string value_;
};

/// Into a record that may have been another leg: its texts keep their room. With receive times its
/// log time is that, else nobody has stamped it yet. False: LegWriter wrote no such leg.
bool read_leg(std::string_view key, std::string_view value, model::LegRecord& leg);

}  // namespace helios::reconcile
