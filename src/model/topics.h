#pragma once
/// The topics of the log and the types of the records on them: the only place where they are
/// numbered. Other programs read topics by name, and numbers are stored: neither ever changes.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/position.h"

namespace helios::model {

/// Topics by number: what code, records, tokens and tables name them by. Stored: never changed,
/// never given again.
namespace topic {
inline constexpr TopicId orders{1};
inline constexpr TopicId payments{2};
inline constexpr TopicId inventory{3};
inline constexpr TopicId other{4};
inline constexpr TopicId dlq{5};
inline constexpr TopicId cases{6};
inline constexpr TopicId verdicts{7};
inline constexpr TopicId remedies{8};
inline constexpr TopicId counts{9};
inline constexpr TopicId flows{10};
inline constexpr TopicId schemas{11};
inline constexpr TopicId audit{12};
inline constexpr TopicId settings{13};
inline constexpr TopicId health{14};
// Numbers only: no topic of a log on disk.
inline constexpr TopicId positions_route{15};
inline constexpr TopicId positions_engine{16};
inline constexpr TopicId positions_heal{17};
inline constexpr TopicId members{18};
}  // namespace topic

/// What route consumes beside topic::flows.
inline constexpr std::array<TopicId, 4> event_topics{topic::orders, topic::payments,
                                                     topic::inventory, topic::other};

/// How long a topic's records are kept; numbered as the log numbers its retention classes.
enum class Kept : std::uint8_t {
    data = 0,     ///< as long as retention.log says
    control = 1,  ///< for ever
    health = 2,   ///< as long as retention.health says
};

struct TopicDeclaration {
    TopicId id;
    std::string_view name;
    Kept kept;
    std::uint32_t partitions;  ///< 0: the data directory's partition count
};

inline constexpr std::array<TopicDeclaration, 14> all_topics{{
    {topic::orders, "helios.events.orders", Kept::data, 0},
    {topic::payments, "helios.events.payments", Kept::data, 0},
    {topic::inventory, "helios.events.inventory", Kept::data, 0},
    {topic::other, "helios.events.other", Kept::data, 0},
    {topic::dlq, "helios.events.dlq", Kept::data, 0},
    {topic::cases, "helios.cases", Kept::data, 0},
    {topic::verdicts, "helios.verdicts", Kept::data, 0},
    {topic::remedies, "helios.remedies", Kept::data, 1},
    {topic::counts, "helios.counts", Kept::data, 0},  // lane i writes partition i
    {topic::flows, "helios.flows", Kept::control, 1},
    {topic::schemas, "helios.schemas", Kept::control, 1},
    {topic::audit, "helios.audit", Kept::control, 1},
    {topic::settings, "helios.settings", Kept::control, 1},
    {topic::health, "helios.health", Kept::health, 1},
}};

/// Numbers that are given, and no topic of a log on disk has.
inline constexpr std::array<TopicId, 4> numbers_without_topic{
    topic::positions_route, topic::positions_engine, topic::positions_heal, topic::members};

/// Whether no number and no name is given twice.
consteval bool given_once() {
    std::array<bool, 256> given{true};  // 0 is no_topic
    const auto give = [&](TopicId id) {
        return !std::exchange(given[static_cast<std::size_t>(id)], true);
    };
    for (std::size_t i = 0; i < all_topics.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            if (all_topics[k].name == all_topics[i].name) {
                return false;
            }
        }
        if (!give(all_topics[i].id)) {
            return false;
        }
    }
    return std::ranges::all_of(numbers_without_topic, give);
}
static_assert(given_once());

/// Whose records come first where log times tie: helios.flows, so that what is activated in a
/// millisecond applies to all events of it; then by number.
constexpr std::uint32_t rank_of(TopicId id) {
    return id == topic::flows ? 0 : static_cast<std::uint32_t>(id);
}

/// no_topic: not one of them.
constexpr TopicId topic_of(std::string_view name) {
    for (const auto& declared : all_topics) {
        if (declared.name == name) {
            return declared.id;
        }
    }
    return no_topic;
}

/// "helios.events.orders"; empty: no topic of this log.
constexpr std::string_view name_of(TopicId id) {
    for (const auto& declared : all_topics) {
        if (declared.id == id) {
            return declared.name;
        }
    }
    return {};
}

/// "events.orders": as dumps and answers name it, whatever prefix a cluster gives its topics.
constexpr std::string_view short_name_of(TopicId id) {
    constexpr std::string_view prefix = "helios.";
    const auto name = name_of(id);
    return name.substr(name.empty() ? 0 : prefix.size());
}

/// Record types, stored in every frame.
enum class RecordType : std::uint16_t {
    event = 1,              ///< event.h, on event topics
    quarantined = 2,        ///< quarantined.h, on topic::dlq
    case_record = 3,        ///< case_record.h, on topic::cases
    verdict = 4,            ///< verdict.h, on topic::verdicts
    flow_activation = 5,    ///< flow_activation.h, on topic::flows
    counts = 6,             ///< counts.h, on topic::counts
    sns_confirmation = 7,   ///< quarantined.h: an SNS handshake kept for a person, on topic::dlq
    quarantine_repeat = 8,  ///< quarantined.h: a kept item came again, on topic::dlq
    absence = 9,            ///< absence.h, on topic::flows
    engine_level = 10,      ///< engine_level.h, on topic::flows
    audit = 11,             ///< audit.h, on topic::audit
    dlq_outcome = 13,       ///< dlq_outcome.h: an item was tried again or discarded, on topic::dlq
    redrive = 30,           ///< redrive.h: many are tried again, on topic::dlq
};

/// Numbers given to records whose encodings come with their rooms: none of them is written yet.
enum class LaterRecordType : std::uint16_t {
    sample = 12,        ///< what a process saw, once a second, on helios.health
    settings = 14,      ///< on topic::settings
    reopened = 15,      ///< a case, on topic::cases
    left = 16,          ///< an event left a case, on topic::cases
    schema = 17,        ///< on topic::schemas
    registration = 18,  ///< on topic::schemas
    erased = 19,        ///< a subject's key, on topic::flows
    drift = 20,
    seal = 21,  ///< on topic::audit
    beat = 22,
    position = 23,
    member = 24,
    cluster = 25,
    begun = 26,
    resolution = 27,
    remedy = 28,
    incident = 29,
};

}  // namespace helios::model
