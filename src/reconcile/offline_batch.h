#pragma once
/// Events of an offline input, prepared by one thread to be taken by another: what goes to the tape
/// and to the sorter of legs, and what has been counted.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "reconcile/offline.h"
#include "reconcile/offline_leg.h"
#include "reconcile/router.h"

namespace helios::reconcile {

struct OfflineRules {
    Router router;
    std::optional<Instant> as_of;
    bool settled = false;  ///< which flows are active does not depend on when; else legs are
                           ///< extracted when everything is known
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
