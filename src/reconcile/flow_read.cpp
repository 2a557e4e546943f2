// From the YAML tree to a Flow, with a complaint at its place for everything that is not the
// language.
#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/hash.h"
#include "base/yaml.h"
#include "model/test_event.h"
#include "reconcile/checks/check_kind.h"
#include "reconcile/extract.h"
#include "reconcile/flow.h"
#include "reconcile/flow_lint.h"
#include "reconcile/reference_reader.h"

namespace helios::reconcile {
namespace {

constexpr std::size_t legs_max = 32;
constexpr std::size_t reads_max = 32;
constexpr std::size_t checks_max = 64;
constexpr std::size_t leg_events_max = 1'000'000;
constexpr Duration default_amend_for = std::chrono::hours(24 * 31);
constexpr Duration default_silence_max = std::chrono::hours(6);

class FlowReader : private ValueReader {
public:
    using ValueReader::ValueReader;

    Flow read(const Node& root);

private:
    void key(const Node& root);
    void legs(const Node& root);
    Leg leg(const std::string& leg_name, const Node& node);
    Identity identity(const Node& node);
    StatusRule status(const Node& node);
    void reads(Leg& leg, const Node& node);
    Read read_one(const std::string& read_name, const Node& node);
    std::optional<ReadSource> read_source(const Node& node, Read::Type type);
    void link_currencies(Leg& leg, const Node& node);
    std::size_t events_max(const Node& node);
    void revises(Leg& leg, const Node& node);
    void checks(const Node& root);
    Check check(const std::string& check_name, const Node& node);
    void anchor(const Node& root);
    void at_risk(const Node& root);

    Flow flow_;
    std::vector<model::Path> key_paths_;
    std::vector<OccurredSource> occurred_;
};

}  // namespace

void FlowReader::key(const Node& root) {
    const Node* node = required(root, "key", "key: {name: orderId, paths: [orderId, order_id]}");
    if (node == nullptr || !is_map(*node, "key", {"name", "paths"})) {
        return;
    }
    if (const Node* key_name = node->find("name")) {
        flow_.key_name = text(*key_name, "the key's name");
    }
    if (const Node* key_paths = required(*node, "paths", "paths: [orderId, order_id]")) {
        key_paths_ = paths(*key_paths, "paths");
    }
}

Identity FlowReader::identity(const Node& node) {
    Identity out;
    if (node.is_scalar() && node.text == "key") {
        out.kind = Identity::Kind::key;
    } else if (node.is_scalar() && node.text == "event") {
        out.kind = Identity::Kind::event;
    } else {
        out.kind = Identity::Kind::paths;
        out.paths = paths(node, "identity");
    }
    return out;
}

StatusRule FlowReader::status(const Node& node) {
    StatusRule out;
    if (!is_map(node, "status", {"paths", "counts", "does_not_count"})) {
        return out;
    }
    if (const Node* where = required(node, "paths", "paths: [status]")) {
        out.paths = paths(*where, "paths");
    }
    if (const Node* counts = required(node, "counts", "counts: [AUTHORIZED]")) {
        for (const auto& word : words(*counts, "counts")) {
            out.counts.push_back(status_word(word));
        }
    }
    if (const Node* not_counting = node.find("does_not_count")) {
        for (const auto& word : words(*not_counting, "does_not_count")) {
            out.does_not_count.push_back(status_word(word));
            if (std::find(out.counts.begin(), out.counts.end(), out.does_not_count.back()) !=
                out.counts.end()) {
                complain(not_counting->mark, "status " + word + " both counts and does not count",
                         "keep it in one of the lists");
            }
        }
    }
    return out;
}

std::optional<ReadSource> FlowReader::read_source(const Node& node, Read::Type type) {
    if (node.is_scalar()) {
        if (type == Read::Type::items) {
            complain(node.mark, "items are read with {each: \"items[]\", key: […], quantity: […]}",
                     "");
            return std::nullopt;
        }
        auto parsed = path(node, false);
        return parsed ? std::optional<ReadSource>(std::move(*parsed)) : std::nullopt;
    }
    if (type == Read::Type::decimal) {
        if (!is_map(node, "a sum", {"sum", "of"})) {
            return std::nullopt;
        }
        const Node* over = required(node, "sum", "sum: \"items[]\"");
        const Node* of = required(node, "of", "of: [price, [qty, quantity]]");
        if (over == nullptr || of == nullptr) {
            return std::nullopt;
        }
        SumSource sum;
        auto each = path(*over, true);
        for (const Node* factor : list(*of, "of")) {
            sum.factors.push_back(paths(*factor, "a factor"));
        }
        if (!each) {
            return std::nullopt;
        }
        sum.list = std::move(*each);
        return sum;
    }
    if (type == Read::Type::items) {
        if (!is_map(node, "items", {"each", "key", "quantity"})) {
            return std::nullopt;
        }
        const Node* each_node = required(node, "each", "each: \"items[]\"");
        const Node* key_node = required(node, "key", "key: [productId, sku]");
        const Node* quantity_node = required(node, "quantity", "quantity: [qty, quantity]");
        if (each_node == nullptr || key_node == nullptr || quantity_node == nullptr) {
            return std::nullopt;
        }
        auto each = path(*each_node, true);
        ItemsSource items;
        items.key = paths(*key_node, "key");
        items.quantity = paths(*quantity_node, "quantity");
        if (!each) {
            return std::nullopt;
        }
        items.list = std::move(*each);
        return items;
    }
    complain(node.mark, "a text is read from paths", "write  first: [currency, currency_code]");
    return std::nullopt;
}

Read FlowReader::read_one(const std::string& read_name, const Node& node) {
    Read out;
    out.name = read_name;
    if (!is_map(node, "read '" + read_name + "'",
                {"type", "first", "required", "currency", "sign"})) {
        return out;
    }
    if (const Node* type = required(node, "type", "type: decimal")) {
        const std::string word = choice(*type, "type", {"text", "decimal", "items"});
        out.type = word == "items"     ? Read::Type::items
                   : word == "decimal" ? Read::Type::decimal
                                       : Read::Type::text;
    }
    if (const Node* first = required(node, "first", "first: [totalAmount, total]")) {
        for (const Node* source : list(*first, "first")) {
            if (auto parsed = read_source(*source, out.type)) {
                out.first.push_back(std::move(*parsed));
            }
        }
    }
    if (const Node* must = node.find("required")) {
        out.required = boolean(*must, "required");
    }
    if (const Node* sign = node.find("sign")) {
        out.positive = choice(*sign, "sign", {"positive"}) == "positive";
        if (out.type != Read::Type::decimal) {
            complain(sign->mark, "only a decimal has a sign", "remove it, or write  type: decimal");
        }
    }
    return out;
}

void FlowReader::link_currencies(Leg& leg, const Node& node) {
    for (const auto& member : node.members) {
        const Node* currency = member.value.is_map() ? member.value.find("currency") : nullptr;
        if (currency == nullptr) {
            continue;
        }
        const std::string word = text(*currency, "currency");
        Read& read = leg.reads[*leg.read_index(member.key)];
        const auto index = leg.read_index(word);
        if (read.type != Read::Type::decimal) {
            complain(currency->mark, "only a decimal has a currency",
                     "remove it, or write  type: decimal");
        } else if (!index || leg.reads[*index].type != Read::Type::text) {
            complain(currency->mark, "'" + word + "' is no text read of leg '" + leg.name + "'",
                     "declare  " + (word.empty() ? "currency" : word) +
                         ": {type: text, first: [currency]}  beside it");
        } else {
            read.currency = *index;
            leg.reads[*index].names_currency = true;
        }
    }
}

void FlowReader::reads(Leg& leg, const Node& node) {
    if (!node.is_map()) {
        complain(node.mark, "'read' must be a map from names to what to read",
                 "read: {amount: {type: decimal, first: [total]}}");
        return;
    }
    if (node.members.size() > reads_max) {
        complain(node.mark, "more than " + std::to_string(reads_max) + " reads", "");
        return;
    }
    for (const auto& member : node.members) {
        const std::string read_name = name(member.key, member.key_mark, "a read");
        if (read_name == "status" || read_name == "occurred" || read_name == "identity") {
            complain(member.key_mark, "'" + read_name + "' is read by the leg itself",
                     "choose another name");
        }
        leg.reads.push_back(read_one(read_name, member.value));
    }
    link_currencies(leg, node);
}

std::size_t FlowReader::events_max(const Node& node) {
    std::size_t value = 0;
    const std::string& digits = node.text;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (!node.is_scalar() || error != std::errc{} || end != digits.data() + digits.size() ||
        value == 0 || value > leg_events_max) {
        complain(node.mark,
                 "events_max must be a whole number from 1 to " + std::to_string(leg_events_max),
                 "write for example  events_max: " + std::to_string(Leg::events_max_default));
        return Leg::events_max_default;
    }
    return value;
}

/// What a later event of one identity may change. Never a currency: money does not change its
/// currency, so one that seems to is bad data.
void FlowReader::revises(Leg& leg, const Node& node) {
    std::vector<std::string> known;
    for (const Read& read : leg.reads) {
        if (!read.names_currency) {
            known.push_back(read.name);
        }
    }
    const Names names(known.begin(), known.end());
    for (const Node* item : list(node, "revises")) {
        const std::string word = text(*item, "a read");
        const auto index = leg.read_index(word);
        if (word.empty()) {
            continue;
        }
        if (!index) {
            const std::string near = yaml::nearest(word, names);
            complain(item->mark, "revises: '" + word + "' is no read of leg '" + leg.name + "'",
                     word == status_read ? "remove it: a status may always change"
                     : !near.empty()     ? "did you mean '" + near + "'?"
                     : known.empty()     ? "declare it under  read:"
                                         : "one of " + listed(names));
        } else if (leg.reads[*index].names_currency || word == "currency") {
            complain(item->mark,
                     "revises: '" + word + "' names a currency, which no later event may change",
                     "remove it");
        } else if (leg.may_revise(*index)) {
            complain(item->mark, "revises: '" + word + "' stands here twice", "keep one of them");
        } else {
            leg.revises |= 1u << *index;
        }
    }
}

Leg FlowReader::leg(const std::string& leg_name, const Node& node) {
    Leg out;
    out.name = leg_name;
    out.key_paths = key_paths_;
    out.occurred = occurred_;
    if (!is_map(
            node, "leg '" + leg_name + "'",
            {"source", "type", "optional", "cardinality", "key", "identity", "occurred", "sequence",
             "events_max", "deadline", "on_silence", "status", "read", "revises"})) {
        return out;
    }
    if (const Node* source = required(node, "source", "source: aws  (or a list, or any)")) {
        out.sources = words(*source, "source");
        if (out.sources.size() == 1 && out.sources[0] == "any") {
            out.sources.clear();
        }
    }
    if (const Node* type = required(node, "type", "type: OrderPlaced")) {
        out.type = text(*type, "type");
        if (out.type == model::test_event_type) {
            complain(type->mark, "helios.test is what `helios source test` sends: no flow takes it",
                     "write the event type that the leg waits for");
        }
    }
    if (const Node* deadline = required(node, "deadline", "deadline: 60s")) {
        out.deadline = duration_or_forever(*deadline, "deadline");
    }
    if (const Node* optional = node.find("optional")) {
        out.optional = boolean(*optional, "optional");
    }
    if (const Node* cardinality = node.find("cardinality")) {
        out.many = choice(*cardinality, "cardinality", {"one", "many"}) == "many";
    }
    if (const Node* own_key = node.find("key")) {
        out.key_paths = paths(*own_key, "key");
    }
    if (const Node* id = node.find("identity")) {
        out.identity = identity(*id);
    }
    if (const Node* when = node.find("occurred")) {
        out.occurred = occurred(*when);
    }
    if (const Node* rule = node.find("status")) {
        out.status = status(*rule);
    }
    if (const Node* counted = node.find("sequence")) {
        out.sequence = paths(*counted, "sequence");
    }
    if (const Node* what = node.find("on_silence")) {
        out.waits_on_silence = choice(*what, "on_silence", {"wait"}) == "wait";
        if (out.waits_on_silence && out.sources.empty()) {
            complain(what->mark,
                     "leg '" + leg_name +
                         "' comes from any source: none alone can be "
                         "silent",
                     "name its sources, or leave on_silence out");
        }
    }
    if (const Node* most = node.find("events_max")) {
        out.events_max = events_max(*most);
    }
    if (const Node* what = node.find("read")) {
        reads(out, *what);
    }
    if (const Node* what = node.find("revises")) {
        revises(out, *what);
    }
    return out;
}

void FlowReader::legs(const Node& root) {
    const Node* node =
        required(root, "legs", "legs: {order: {source: aws, type: OrderPlaced, deadline: 60s}}");
    if (node == nullptr) {
        return;
    }
    if (!node->is_map() || node->members.empty() || node->members.size() > legs_max) {
        complain(node->mark, "'legs' must be a map of 1 to " + std::to_string(legs_max) + " legs",
                 "legs: {order: {source: aws, …}}");
        return;
    }
    for (const auto& member : node->members) {
        flow_.legs.push_back(leg(name(member.key, member.key_mark, "a leg"), member.value));
    }
    if (std::all_of(flow_.legs.begin(), flow_.legs.end(),
                    [](const Leg& l) { return l.optional; })) {
        complain(node->mark, "every leg is optional: such a flow always agrees",
                 "at least one leg must be needed");
    }
}

Check FlowReader::check(const std::string& check_name, const Node& node) {
    Check out;
    out.name = check_name;
    if (!node.is_map()) {
        complain(node.mark, "check '" + check_name + "' must be a map",
                 "{kind: amount, expected: order.amount, actual: payment.amount}");
        return out;
    }
    const Node* word = required(node, "kind", "kind: amount");
    const auto kind =
        word != nullptr ? check_kind_named(choice(*word, "kind", check_words())) : std::nullopt;
    if (kind) {
        out.kind = *kind;
        ReferenceReader in(*this, flow_);
        kind_of(*kind).parse(in, node, out);
    }
    return out;
}

void FlowReader::checks(const Node& root) {
    const Node* node = root.find("checks");
    if (node == nullptr) {
        return;
    }
    if (!node->is_map() || node->members.size() > checks_max) {
        complain(
            node->mark,
            "'checks' must be a map of at most " + std::to_string(checks_max) + " named checks",
            "checks: {paid-in-full: {kind: amount, …}}");
        return;
    }
    for (const auto& member : node->members) {
        flow_.checks.push_back(check(name(member.key, member.key_mark, "a check"), member.value));
    }
}

void FlowReader::anchor(const Node& root) {
    const Node* node = root.find("anchor");
    if (node == nullptr) {
        return;
    }
    const std::string word = text(*node, "anchor");
    flow_.anchor = ReferenceReader(*this, flow_).leg(word, node->mark, "anchor ");
    if (flow_.anchor && flow_.legs[*flow_.anchor].optional) {
        complain(node->mark, "the anchor must not be optional",
                 "remove  optional: true  from leg '" + word + "', or the anchor");
    }
}

void FlowReader::at_risk(const Node& root) {
    const Node* node = root.find("at_risk");
    if (node == nullptr) {
        return;
    }
    ReferenceReader in(*this, flow_);
    for (const Node* item : list(*node, "at_risk")) {
        if (const auto ref = in.reference(*item, Read::Type::decimal)) {
            flow_.at_risk.push_back(*ref);
        }
    }
}

Flow FlowReader::read(const Node& root) {
    if (!is_map(root, "a flow",
                {"flow", "version", "description", "key", "anchor", "amend_for", "silence_max",
                 "currency", "occurred", "legs", "checks", "at_risk"})) {
        return {};
    }
    if (const Node* flow = required(root, "flow", "flow: order")) {
        flow_.name = name(flow->text, flow->mark, "a flow");
    }
    if (const Node* version = required(root, "version", "version: 1")) {
        const auto& digits = version->text;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), flow_.version);
        if (error != std::errc{} || end != digits.data() + digits.size() || flow_.version == 0) {
            complain(version->mark, "version '" + digits + "' is not a whole number of 1 or more",
                     "raise it with every change");
        }
    }
    if (const Node* description = root.find("description")) {
        flow_.description = text(*description, "description");
    }
    flow_.amend_for = default_amend_for;
    if (const Node* amend = root.find("amend_for")) {
        flow_.amend_for = duration_or_forever(*amend, "amend_for");
    }
    flow_.silence_max = default_silence_max;
    if (const Node* most = root.find("silence_max")) {
        flow_.silence_max = duration(*most, "silence_max");
    }
    flow_.currency = "XXX";
    if (const Node* currency = root.find("currency")) {
        flow_.currency = ascii::upper(text(*currency, "currency"));
    }
    occurred_.push_back(OccurredSource{true, {}, {}});
    if (const Node* when = root.find("occurred")) {
        occurred_ = occurred(*when);
    }
    key(root);
    legs(root);
    checks(root);
    anchor(root);
    at_risk(root);
    return std::move(flow_);
}

FlowReading read_flow(std::string_view text, std::string_view file) {
    FlowReading out;
    auto document = yaml::read(text, file);
    out.errors = std::move(document.errors);
    if (!document.root) {
        return out;
    }
    Flow flow = FlowReader(file, out.errors).read(*document.root);
    lint_flow(*document.root, file, out.errors, out.warnings);
    if (out.errors.empty()) {
        flow.text = text;
        flow.hash = to_hex(sha256(text));
        out.flow = std::move(flow);
    }
    return out;
}

}  // namespace helios::reconcile
