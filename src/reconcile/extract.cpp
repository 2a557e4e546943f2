#include "reconcile/extract.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>

#include "base/ascii.h"
#include "base/shown.h"
#include "reconcile/quote.h"

namespace helios::reconcile {
namespace {

using model::ReadValue;

ReadValue bad(std::string reason, std::string path) {
    ReadValue value;
    value.kind = ReadValue::Kind::bad;
    value.text = std::move(reason);
    value.path = std::move(path);
    return value;
}

bool scalar(json::Value value) {
    return !value.is_object() && !value.is_array();
}

struct Scalar {
    enum class State { absent, present, ambiguous, container } state = State::absent;
    std::string_view text;
    const model::Path* path = nullptr;
};

/// The first path with a value that is not empty; a duplicate key or a container on the way is an
/// answer too.
Scalar first_scalar(json::Value root, std::span<const model::Path> paths) {
    for (const model::Path& path : paths) {
        const model::Found found = model::lookup(root, path);
        if (found.duplicate) {
            return {Scalar::State::ambiguous, {}, &path};
        }
        if (!found.value) {
            continue;
        }
        if (!scalar(found.value)) {
            return {Scalar::State::container, {}, &path};
        }
        return {Scalar::State::present, found.value.text(), &path};
    }
    return {};
}

std::string why_unusable(const Scalar& found, std::string_view wanted) {
    if (found.state == Scalar::State::ambiguous) {
        return found.path->text() + " occurs twice: which one is meant cannot be known";
    }
    return found.path->text() + " is not " + std::string(wanted);
}

ReadValue read_text(const Scalar& found) {
    ReadValue value;
    if (found.state == Scalar::State::absent) {
        return value;
    }
    if (found.state != Scalar::State::present) {
        return bad(why_unusable(found, "a text"), found.path->text());
    }
    if (found.text.size() > text_bytes_max) {
        return bad(found.path->text() + " is longer than 4 KiB", found.path->text());
    }
    value.kind = ReadValue::Kind::text;
    value.text = found.text;
    value.path = found.path->text();
    return value;
}

std::string not_a_decimal(std::string_view name, std::string_view text, const Error& error) {
    return std::string(name) + " is \"" + shown(text) +
           "\": " + (error.what.empty() ? "not a decimal" : error.what);
}

ReadValue read_decimal(const Scalar& found) {
    ReadValue value = read_text(found);
    if (value.kind == ReadValue::Kind::text) {
        if (const auto parsed = Decimal::parse(value.text); !parsed) {
            return bad(not_a_decimal(value.path, value.text, parsed.error()), value.path);
        }
        value.kind = ReadValue::Kind::decimal;
    }
    return value;
}

/// The list of a sum or of items; absent if it isn't there or has no elements that could be read.
struct List {
    json::Value array;
    std::optional<ReadValue> answer;  ///< set: nothing to walk, this is the value
};

List find_list(json::Value payload, const model::Path& path, bool empty_is_absent) {
    const model::Found found = model::lookup(payload, path);
    if (found.duplicate) {
        return {
            {},
            bad(path.text() + " occurs twice: which one is meant cannot be known", path.text())};
    }
    if (!found.value) {
        return {{}, ReadValue{}};
    }
    if (!found.value.is_array()) {
        return {{}, bad(path.text() + " is not a list", path.text())};
    }
    if (found.value.size() > items_max) {
        return {{},
                bad(path.text() + " has more than " + std::to_string(items_max) + " elements",
                    path.text())};
    }
    if (found.value.size() == 0 && empty_is_absent) {
        return {{}, ReadValue{}};
    }
    return {found.value, std::nullopt};
}

std::string element(const model::Path& list, std::size_t i) {
    return list.text() + "[" + std::to_string(i) + "]";
}

/// One decimal of an element, or the reason why not.
Result<Decimal> element_decimal(json::Value item, const std::vector<model::Path>& paths,
                                const std::string& place) {
    const Scalar found = first_scalar(item, paths);
    if (found.state == Scalar::State::absent) {
        return fail(ErrorKind::invalid, place + " has no " + paths.front().text());
    }
    if (found.state != Scalar::State::present) {
        return fail(ErrorKind::invalid, place + ": " + why_unusable(found, "a decimal"));
    }
    auto value = Decimal::parse(found.text);
    if (!value) {
        return fail(ErrorKind::invalid,
                    not_a_decimal(place + "." + found.path->text(), found.text, value.error()));
    }
    return value;
}

ReadValue read_sum(json::Value payload, const SumSource& sum) {
    const List list = find_list(payload, sum.list, true);
    if (list.answer) {
        return *list.answer;
    }
    std::string expression = "sum of " + sum.list.text() + "[]";
    for (std::size_t i = 0; i < sum.factors.size(); ++i) {
        expression += (i == 0 ? "." : " × ") + sum.factors[i].front().text();
    }
    Decimal total;
    for (std::size_t i = 0; i < list.array.size(); ++i) {
        Decimal product = Decimal::from_int(1);
        for (const auto& factor : sum.factors) {
            const auto value = element_decimal(list.array.at(i), factor, element(sum.list, i));
            if (!value) {
                return bad(value.error().what, expression);
            }
            const auto next = Decimal::multiply(product, *value);
            if (!next) {
                return bad(element(sum.list, i) + ": more than 38 digits", expression);
            }
            product = *next;
        }
        const auto next = Decimal::add(total, product);
        if (!next) {
            return bad("the sum has more than 38 digits", expression);
        }
        total = *next;
    }
    ReadValue value;
    value.kind = ReadValue::Kind::decimal;
    value.text = total.to_string();
    value.path = std::move(expression);
    return value;
}

ReadValue read_items(json::Value payload, const ItemsSource& source) {
    const List list = find_list(payload, source.list, false);
    if (list.answer) {
        return *list.answer;
    }
    const std::string expression = source.list.text() + "[]";
    std::map<std::string, Decimal, std::less<>> totals;
    std::size_t key_bytes = 0;
    for (std::size_t i = 0; i < list.array.size(); ++i) {
        const json::Value item = list.array.at(i);
        const Scalar key = first_scalar(item, source.key);
        if (key.state != Scalar::State::present) {
            return bad(element(source.list, i) + (key.path != nullptr
                                                      ? ": " + why_unusable(key, "a text")
                                                      : " has no " + source.key.front().text()),
                       expression);
        }
        const auto quantity = element_decimal(item, source.quantity, element(source.list, i));
        if (!quantity) {
            return bad(quantity.error().what, expression);
        }
        if (key_bytes += key.text.size(); key_bytes > item_keys_bytes_max) {
            return bad("the keys of " + source.list.text() + " are longer than 1 MiB together",
                       expression);
        }
        auto [slot, fresh] = totals.try_emplace(std::string(key.text), *quantity);
        if (!fresh) {
            const auto sum = Decimal::add(slot->second, *quantity);
            if (!sum) {
                return bad("the quantity of " + shown(key.text) + " has more than 38 digits",
                           expression);
            }
            slot->second = *sum;
        }
    }
    ReadValue value;
    value.kind = ReadValue::Kind::items;
    value.path = expression;
    for (const auto& [key, quantity] : totals) {
        value.items.emplace_back(key, quantity.to_string());
    }
    return value;
}

ReadValue read_one(json::Value payload, const Read& read) {
    for (const ReadSource& source : read.first) {
        ReadValue value;
        if (const auto* path = std::get_if<model::Path>(&source)) {
            const Scalar found = first_scalar(payload, std::span(path, 1));
            value = read.type == Read::Type::decimal ? read_decimal(found) : read_text(found);
        } else if (const auto* sum = std::get_if<SumSource>(&source)) {
            value = read_sum(payload, *sum);
        } else {
            value = read_items(payload, std::get<ItemsSource>(source));
        }
        if (value.kind != ReadValue::Kind::absent) {
            return value;
        }
    }
    return {};
}

/// A currency as it is compared: trimmed, in upper case. What then is not three letters is none,
/// and bad data.
ReadValue currency_of(ReadValue value) {
    if (value.kind != ReadValue::Kind::text) {
        return value;
    }
    std::string_view code = value.text;
    const auto blank_at = [](std::string_view text, bool at_end) -> std::size_t {
        for (const std::string_view blank :
             {" ", "\t", "\n", "\v", "\f", "\r", "\u00a0", "\ufeff"}) {
            if (at_end ? text.ends_with(blank) : text.starts_with(blank)) {
                return blank.size();
            }
        }
        return 0;
    };
    while (const std::size_t bytes = blank_at(code, false)) {
        code.remove_prefix(bytes);
    }
    while (const std::size_t bytes = blank_at(code, true)) {
        code.remove_suffix(bytes);
    }
    const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    if (code.size() != 3 || !std::all_of(code.begin(), code.end(), letter)) {
        return bad(
            value.path + " is " + in_quotes(value.text) + ": not a currency of three letters",
            value.path);
    }
    value.text = ascii::upper(code);
    return value;
}

/// What was claimed on the way to the instant and could not be taken: one doubt, however many
/// paths.
class UntakenTimes {
public:
    void add(std::string_view name, std::string_view why) {
        constexpr std::size_t told = 3;
        if (++count_ <= told) {
            text_.append(text_.empty() ? "" : "; ").append(name).append(": ").append(why);
        }
    }
    void put_into(model::LegRecord& record) {
        if (count_ > 0) {
            record.doubts.push_back(std::move(text_));
        }
    }

private:
    std::string text_;
    std::size_t count_ = 0;
};

/// The instant used in checks: the first claim that can be taken. Without one the leg is neither
/// late nor skewed.
void read_occurred(model::LegRecord& record, const Leg& leg, const model::Event& event,
                   json::Value payload) {
    UntakenTimes untaken;
    const auto take = [&](const ClaimedTime& claim, std::string_view name) {
        if (claim.doubtful()) {
            untaken.add(name, claim.why);
        } else if (claim.taken()) {
            record.occurred = claim.at;
            if (!claim.had_zone) {
                record.notes.push_back("no zone in " + std::string(name) + ": UTC assumed");
            }
        }
    };
    for (const OccurredSource& source : leg.occurred) {
        if (source.envelope) {
            const auto claim = model::claimed_time_of(event, source.unit);
            take(claim, "envelope.time");
            if (claim.taken()) {
                record.event_time = claim.at;
            } else if (event.time) {
                record.occurred = event.time;
                if (!event.time_had_zone) {
                    record.notes.push_back("no zone in the envelope's time: UTC assumed");
                }
            }
        } else {
            const model::Found found = model::lookup(payload, source.path);
            if (found.duplicate) {
                untaken.add(source.path.text(), "occurs twice: which one is meant cannot be known");
            } else {
                take(claimed_time(found.value, source.unit), source.path.text());
            }
        }
        if (record.occurred) {
            break;
        }
    }
    if (!record.occurred) {
        record.notes.push_back("no time that can be read: neither late nor skewed");
    }
    untaken.put_into(record);
}

/// Of a counting source: a whole number, as a number or as text, without leading zeros. Compared,
/// never added: any length does.
std::optional<std::string> whole_number(std::string_view text) {
    const bool negative = text.starts_with('-');
    std::string_view digits = text.substr(negative ? 1 : 0);
    if (digits.empty() || digits.size() > sequence_digits_max ||
        !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
    return (negative && digits != "0" ? "-" : "") + std::string(digits);
}

void read_sequence(model::LegRecord& record, const Leg& leg, json::Value payload) {
    const Scalar found = first_scalar(payload, leg.sequence);
    if (found.state == Scalar::State::absent) {
        return;
    }
    const auto number =
        found.state == Scalar::State::present ? whole_number(found.text) : std::nullopt;
    if (number) {
        record.sequence = *number;
    } else {
        record.doubts.push_back(found.state == Scalar::State::present
                                    ? found.path->text() + " is " + in_quotes(found.text) +
                                          ": not a whole number, so it orders nothing"
                                    : why_unusable(found, "a whole number, so it orders nothing"));
    }
}

void read_identity(model::LegRecord& record, const Leg& leg, const model::Event& event,
                   json::Value payload) {
    if (leg.identity.kind == Identity::Kind::key) {
        record.identity = record.key;
        return;
    }
    if (leg.identity.kind == Identity::Kind::paths) {
        const Scalar found = first_scalar(payload, leg.identity.paths);
        if (found.state == Scalar::State::present && found.text.size() <= key_bytes_max) {
            record.identity = found.text;
            return;
        }
        if (found.state != Scalar::State::absent) {
            record.reads.emplace_back(identity_read,
                                      bad(found.state == Scalar::State::present
                                              ? found.path->text() + " is longer than 1 KiB"
                                              : why_unusable(found, "a text"),
                                          found.path->text()));
        }
    }
    // An event id is unique within its source and scope only.
    record.identity = "event:" + event.source + ":" + event.scope + ":" + event.id;
}

}  // namespace

std::optional<model::LegRecord> extract(const Flow& flow, const Leg& leg, bool opens,
                                        const model::Event& event, json::Value payload,
                                        const Arrival& arrival) {
    const Scalar key = first_scalar(payload, leg.key_paths);
    if (key.state != Scalar::State::present || key.text.size() > key_bytes_max ||
        key.text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    model::LegRecord record(event.tenant);
    record.flow = flow.name;
    record.flow_version = flow.version;
    record.opens = opens;
    record.key = key.text;
    record.leg = leg.name;
    record.event = arrival.pointer;
    record.event_id = event.id;
    record.source = event.source;
    record.type = event.type;
    record.event_time = event.time;
    record.at = arrival.at;
    record.reads.reserve(leg.reads.size() + 2);  // also status and identity
    for (const Read& read : leg.reads) {
        ReadValue value = read_one(payload, read);
        record.reads.emplace_back(
            read.name, read.names_currency ? currency_of(std::move(value)) : std::move(value));
    }
    if (leg.status) {
        record.reads.emplace_back(status_read, read_text(first_scalar(payload, leg.status->paths)));
    }
    read_identity(record, leg, event, payload);
    read_occurred(record, leg, event, payload);
    read_sequence(record, leg, payload);
    return record;
}

}  // namespace helios::reconcile
