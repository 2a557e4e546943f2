#pragma once
/// How events wait in offline work: the records that offline_batch prepares and offline sorts.
/// Nothing of it outlives a run.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "reconcile/offline.h"
#include "reconcile/router.h"

namespace helios::reconcile {

struct OfflineRules {
    Router router;
    std::optional<Instant> as_of;
    bool settled = false;  ///< which flows are active does not depend on when; else legs are
                           ///< extracted when everything is known
};

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

/// Gets each leg as a record of the sorter of legs. The last bytes of a key are the event's number.
using LegSink = std::function<Status(std::string_view key, std::string_view value)>;
inline constexpr std::size_t leg_number_bytes = sizeof(std::uint64_t) + sizeof(std::uint16_t);

/// How a leg waits. `same`: so many bytes at the begin of its key are those of any leg that takes
/// its place (0: none does). The case's id is the first three parts of the key.
struct WaitingLeg {
    std::size_t same = 0;
    std::string_view encoded;

    static WaitingLeg of(std::string_view value);
};
std::size_t case_id_size(std::string_view key);
void set_leg_number(char* end_of_key, std::uint64_t number);
std::uint64_t leg_number(std::string_view key);

/// Makes keys and values of an event's legs in buffers that it keeps.
class LegWriter {
public:
    Status write(std::vector<model::LegRecord>&& legs, const model::Event& event,
                 const EventPlace& place, const std::optional<Instant>& as_of, Extracted& extracted,
                 const LegSink& sink);

private:
    std::string key_;
    std::string value_;
};

struct OfflineBatch::State {
    struct Item {
        std::size_t taped = 0, taped_size = 0;  ///< in bytes
        std::size_t first_leg = 0, legs = 0;
        bool received = false;
        bool positioned = false;
        Digest128 identity{};
        Instant at;
        Extracted extracted;
    };
    struct Piece {
        std::size_t key = 0, key_size = 0;  ///< in bytes; the value follows
        std::size_t value_size = 0;
    };

    std::shared_ptr<const OfflineRules> rules;
    std::string bytes;
    std::vector<Item> items;
    std::vector<Piece> legs;
    LegWriter writer;
};

}  // namespace helios::reconcile
