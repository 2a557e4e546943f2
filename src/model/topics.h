#pragma once
/// The topics of the log and the types of the records on them. Names are contracts (contracts.md);
/// numbers are stored.

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
inline constexpr std::string_view flows = "helios.flows";      // control, one partition
inline constexpr std::string_view schemas = "helios.schemas";  // control, one partition
inline constexpr std::string_view audit = "helios.audit";      // control, one partition
}  // namespace topic

/// What route consumes beside topic::flows.
inline constexpr std::array<std::string_view, 4> event_topics{topic::orders, topic::payments,
                                                              topic::inventory, topic::other};

struct TopicDeclaration {
    std::string_view name;
    bool control;              ///< retention class control, else data
    std::uint32_t partitions;  ///< 0: the data directory's partition count
};

/// In this order topic ids are given out: append only.
inline constexpr std::array<TopicDeclaration, 12> all_topics{{
    {topic::orders, false, 0},
    {topic::payments, false, 0},
    {topic::inventory, false, 0},
    {topic::other, false, 0},
    {topic::dlq, false, 0},
    {topic::cases, false, 0},
    {topic::verdicts, false, 0},
    {topic::remedies, false, 0},
    {topic::counts, false, 1},
    {topic::flows, true, 1},
    {topic::schemas, true, 1},
    {topic::audit, true, 1},
}};

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
};

}  // namespace helios::model
