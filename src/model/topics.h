#pragma once
/// The topics of the log and the types of the records on them. Other programs read topics by name,
/// and numbers are stored: neither ever changes.

#include <array>
#include <cstdint>
#include <string_view>

namespace helios::model {

namespace topic {
inline constexpr std::string_view orders = "helios.events.orders";
inline constexpr std::string_view payments = "helios.events.payments";
inline constexpr std::string_view inventory = "helios.events.inventory";
inline constexpr std::string_view other = "helios.events.other";
inline constexpr std::string_view dlq = "helios.events.dlq";
inline constexpr std::string_view cases = "helios.cases";
inline constexpr std::string_view verdicts = "helios.verdicts";
inline constexpr std::string_view remedies = "helios.remedies";
inline constexpr std::string_view counts = "helios.counts";
inline constexpr std::string_view flows = "helios.flows";        // control, one partition
inline constexpr std::string_view schemas = "helios.schemas";    // control, one partition
inline constexpr std::string_view audit = "helios.audit";        // control, one partition
inline constexpr std::string_view settings = "helios.settings";  // control, one partition
inline constexpr std::string_view health = "helios.health";      // health, one partition
}  // namespace topic

/// What route consumes beside topic::flows.
inline constexpr std::array<std::string_view, 4> event_topics{topic::orders, topic::payments,
                                                              topic::inventory, topic::other};

/// A topic's number: what records, tokens and tables name it by. Stored: never changed, never
/// given again.
enum class TopicId : std::uint8_t {
    none = 0,
    orders = 1,
    payments = 2,
    inventory = 3,
    other = 4,
    dlq = 5,
    cases = 6,
    verdicts = 7,
    remedies = 8,
    counts = 9,
    flows = 10,
    schemas = 11,
    audit = 12,
    settings = 13,
    health = 14,
    // Numbers only: no topic of a log on disk.
    positions_route = 15,
    positions_engine = 16,
    positions_heal = 17,
    members = 18,
};

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
    {TopicId::orders, topic::orders, Kept::data, 0},
    {TopicId::payments, topic::payments, Kept::data, 0},
    {TopicId::inventory, topic::inventory, Kept::data, 0},
    {TopicId::other, topic::other, Kept::data, 0},
    {TopicId::dlq, topic::dlq, Kept::data, 0},
    {TopicId::cases, topic::cases, Kept::data, 0},
    {TopicId::verdicts, topic::verdicts, Kept::data, 0},
    {TopicId::remedies, topic::remedies, Kept::data, 1},
    {TopicId::counts, topic::counts, Kept::data, 0},  // lane i writes partition i
    {TopicId::flows, topic::flows, Kept::control, 1},
    {TopicId::schemas, topic::schemas, Kept::control, 1},
    {TopicId::audit, topic::audit, Kept::control, 1},
    {TopicId::settings, topic::settings, Kept::control, 1},
    {TopicId::health, topic::health, Kept::health, 1},
}};

/// none: not one of them.
constexpr TopicId topic_of(std::string_view name);

/// Whose records come first where log times tie: helios.flows, so that what is activated in a
/// millisecond applies to all events of it; then by number.
constexpr std::uint32_t rank_of(TopicId topic) {
    return topic == TopicId::flows ? 0 : static_cast<std::uint32_t>(topic);
}
/// The same of a topic's name.
inline std::uint32_t topic_rank(std::string_view name) {
    return rank_of(topic_of(name));
}

constexpr TopicId topic_of(std::string_view name) {
    for (const auto& declared : all_topics) {
        if (declared.name == name) {
            return declared.id;
        }
    }
    return TopicId::none;
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
};

/// Numbers given to records whose encodings come with their rooms: none of them is written yet.
enum class LaterRecordType : std::uint16_t {
    sample = 12,        ///< what a process saw, once a second, on helios.health
    dlq_outcome = 13,   ///< an item was replayed or discarded, on topic::dlq
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
