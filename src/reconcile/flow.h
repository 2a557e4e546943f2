#pragma once
/// A flow: what several sources must agree on, as a person declared it. See docs/flows.md for the
/// language.
///
/// Nothing about orders, payments or any other business is compiled in: legs, keys, statuses, reads
/// and checks all come from the file. This file knows the shape of the language; judge.h knows what
/// it means.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/claimed_time.h"
#include "base/decimal.h"
#include "base/forever.h"
#include "base/result.h"
#include "base/time.h"
#include "model/path.h"

namespace helios::reconcile {

/// {sum: items[], of: [price, [qty, quantity]]}: over all elements, the sum of the product of the
/// factors.
struct SumSource {
    model::Path list;  ///< the list itself, without []
    std::vector<std::vector<model::Path>>
        factors;  ///< each factor: first present wins, relative to the element
};

/// {each: items[], key: [productId, sku], quantity: [qty, quantity]}: element key → quantity, equal
/// keys added up.
struct ItemsSource {
    model::Path list;  ///< the list itself, without []
    std::vector<model::Path> key;
    std::vector<model::Path> quantity;
};

using ReadSource = std::variant<model::Path, SumSource, ItemsSource>;

/// One value to read from a leg's payload: the first source that is present wins.
struct Read {
    enum class Type : std::uint8_t { text, decimal, items } type = Type::text;
    std::string name;
    std::vector<ReadSource> first;
    bool required = false;        ///< absent on a taken event: a `data` finding
    bool positive = false;        ///< decimal: below 0 is a `data` finding of severity warning
    bool names_currency = false;  ///< text: some decimal of this leg has it as its currency
    std::optional<std::size_t>
        currency;  ///< decimal: index of the text read of this leg that names its currency
};

/// Which statuses of a leg's event make it count. Words are compared as status_word() makes them.
struct StatusRule {
    std::vector<model::Path> paths;           ///< absent on all: counts
    std::vector<std::string> counts;          ///< as status_word() makes them
    std::vector<std::string> does_not_count;  ///< likewise
};

/// A status as it is compared: letters in upper case, without blanks, '_' and '-'. Senders spell
/// one word in several ways: "requires_capture", "RequiresCapture", "SENT_FOR_SETTLEMENT", "Sent
/// for settlement".
std::string status_word(std::string_view written);

struct Identity {
    enum class Kind : std::uint8_t { key, paths, event } kind = Kind::event;
    std::vector<model::Path> paths;  ///< kind paths: first present wins, else the event id
};

/// Where the instant used in checks comes from, first present wins.
struct OccurredSource {
    bool envelope = false;          ///< `envelope.time`
    model::Path path;               ///< else a path into the payload
    std::optional<EpochUnit> unit;  ///< declared: what a number there counts
};

struct Leg {
    std::string name;
    std::vector<std::string> sources;  ///< empty: any
    std::string type;
    bool optional = false;
    bool many = false;  ///< several events may count (instalments, split shipments)
    std::vector<model::Path> key_paths;
    Identity identity;
    std::vector<OccurredSource> occurred;
    Duration deadline{};                ///< after the case opened; may be `forever`
    bool waits_on_silence = false;      ///< while its sources are known to be silent
    std::vector<model::Path> sequence;  ///< what the source counts: orders events of one identity
                                        ///< where their times are equal
    std::size_t events_max = events_max_default;  ///< of one case; of more nothing is compared
    std::vector<Read> reads;
    std::uint32_t revises = 0;  ///< bit per read: a later event of an identity may change it
    std::optional<StatusRule> status;

    static constexpr std::size_t events_max_default = 100'000;
    bool may_revise(std::size_t read) const { return (revises >> read & 1u) != 0; }

    bool wants(std::string_view source, std::string_view event_type) const;
    std::optional<std::size_t> read_index(std::string_view read) const;
};

struct ReadRef {
    std::size_t leg = 0;
    std::size_t read = 0;
};

struct Check {
    enum class Kind : std::uint8_t { amount, quantity, equal, skew } kind = Kind::amount;
    std::string name;
    ReadRef expected;  ///< all but skew
    ReadRef actual;
    Decimal tolerance;              ///< amount: greatest difference that still agrees, ≥ 0
    Duration max{};                 ///< skew: greatest distance between the legs' instants
    std::vector<std::size_t> legs;  ///< skew: which legs
};

std::string_view to_string(Check::Kind kind);

/// Immutable once parsed; shared between threads.
struct Flow {
    std::string name;
    std::uint32_t version = 0;
    std::string description;
    std::string
        key_name;  ///< "orderId": the member under which a verdict repeats its key; may be empty
    std::vector<Leg> legs;
    std::optional<std::size_t> anchor;  ///< the leg without which others are orphans
    Duration amend_for{};    ///< how long after closing a case takes later facts; may be `forever`
    Duration silence_max{};  ///< by how much legs that wait on silence are moved at most
    std::string currency;    ///< assumed where no leg names one; "XXX" if the file doesn't say
    std::vector<Check> checks;
    std::vector<ReadRef> at_risk;  ///< the first usable amount is the money at risk
    std::string text;              ///< the file
    std::string hash;              ///< hex SHA-256 of text

    std::optional<std::size_t> leg_index(std::string_view leg) const;
    Duration longest_deadline() const;
    Duration longest_silence() const;  ///< zero: no leg waits
    /// Names of sources that legs ask for, sorted, each once. "any" adds none.
    std::vector<std::string> sources() const;
};

/// Every complaint about the file, each "file:line:column: what" with a hint; no errors: a good
/// flow. Warnings are about what is the language and hardly meant.
struct FlowReading {
    std::optional<Flow> flow;
    std::vector<Error> errors;
    std::vector<Error> warnings;
};
FlowReading read_flow(std::string_view text, std::string_view file);

/// The same with only the first complaint. invalid: this text can never be a flow.
Result<Flow> parse_flow(std::string_view text, std::string_view file);

/// flows/order.yaml as it was at build time.
std::string_view shipped_order_flow();

}  // namespace helios::reconcile
