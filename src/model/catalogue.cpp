#include "model/catalogue.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "base/yaml.h"
#include "model/test_event.h"
#include "model/topics.h"

namespace helios::model {

extern const std::string_view catalogue_yaml;  // src/model/catalogue.yaml, compiled in

namespace {

constexpr std::size_t key_bytes_max = 1024;

/// Reads the document, complaining with places.
class CatalogueReader {
public:
    explicit CatalogueReader(std::string_view file) : file_(file) {}

    Result<EventType> type(std::string name, const yaml::Node& node) const {
        EventType type;
        type.name = std::move(name);
        type.topic = topic::other;
        HELIOS_TRY(only(node, {"topic", "key", "time", "required"}));
        for (const auto& member : node.members) {
            if (member.key == "topic") {
                HELIOS_TRY_ASSIGN(type.topic, event_topic(member.value));
            } else if (member.key == "key") {
                HELIOS_TRY_ASSIGN(type.key_paths, paths(member.value));
            } else if (member.key == "time") {
                HELIOS_TRY_ASSIGN(type.time_paths, time_paths(member.value));
            } else {
                HELIOS_TRY_ASSIGN(type.required, required(member.value));
            }
        }
        return type;
    }

    Status only(const yaml::Node& node, std::vector<std::string_view> known) const {
        if (!node.is_map()) {
            return fail(yaml::error_at(file_, node.mark, "expected a map of " + join(known)));
        }
        for (const auto& member : node.members) {
            if (std::find(known.begin(), known.end(), member.key) == known.end()) {
                const auto near = yaml::nearest(member.key, known);
                return fail(yaml::error_at(file_, member.key_mark,
                                           "unknown key \"" + member.key + "\"",
                                           near.empty() ? "known here: " + join(known)
                                                        : "did you mean \"" + near + "\"?"));
            }
        }
        return {};
    }

private:
    static std::string join(const std::vector<std::string_view>& words) {
        std::string out;
        for (const auto word : words) {
            out.append(out.empty() ? "" : ", ").append(word);
        }
        return out;
    }

    Result<TopicId> event_topic(const yaml::Node& node) const {
        const TopicId named = topic_of(node.text);
        if (std::ranges::find(event_topics, named) == event_topics.end()) {
            std::vector<std::string_view> names;
            std::ranges::transform(event_topics, std::back_inserter(names), name_of);
            return fail(yaml::error_at(file_, node.mark,
                                       "\"" + node.text + "\" is not an event topic",
                                       "one of " + join(names)));
        }
        return named;
    }

    Result<std::vector<Path>> paths(const yaml::Node& node) const {
        std::vector<Path> out;
        if (!node.is_sequence() || node.items.empty()) {
            return fail(yaml::error_at(file_, node.mark, "expected a list of paths",
                                       "for example [orderId, order_id]"));
        }
        for (const auto& item : node.items) {
            HELIOS_TRY_ASSIGN(auto one, path(item));
            out.push_back(std::move(one));
        }
        return out;
    }

    Result<Path> path(const yaml::Node& item) const {
        auto path = Path::parse(item.text);
        if (!item.is_scalar() || !path) {
            return fail(yaml::error_at(file_, item.mark,
                                       path ? "expected a path" : path.error().what,
                                       path ? "" : path.error().hint));
        }
        for (const auto& segment : path->segments()) {
            if (segment.each) {
                return fail(yaml::error_at(
                    file_, item.mark,
                    "\"" + item.text + "\" walks an array; a key or time has one value"));
            }
        }
        return std::move(*path);
    }

    /// A path, or {path: created, unit: s}.
    Result<std::vector<TimePath>> time_paths(const yaml::Node& node) const {
        std::vector<TimePath> out;
        if (!node.is_sequence() || node.items.empty()) {
            return fail(yaml::error_at(file_, node.mark, "expected a list of paths",
                                       "for example [timestamp, {path: created, unit: s}]"));
        }
        for (const auto& item : node.items) {
            const yaml::Node* where = &item;
            std::optional<EpochUnit> unit;
            if (item.is_map()) {
                HELIOS_TRY(only(item, {"path", "unit"}));
                where = item.find("path");
                const auto* word = item.find("unit");
                if (where == nullptr || word == nullptr) {
                    return fail(yaml::error_at(file_, item.mark,
                                               "a time with a unit needs path and unit",
                                               "for example {path: created, unit: s}"));
                }
                unit = parse_epoch_unit(word->text);
                if (!unit) {
                    return fail(yaml::error_at(file_, word->mark,
                                               "\"" + word->text + "\" is not a unit of time",
                                               "one of s, ms, us, ns"));
                }
            }
            HELIOS_TRY_ASSIGN(auto one, path(*where));
            out.push_back({std::move(one), unit});
        }
        return out;
    }

    Result<std::vector<RequiredField>> required(const yaml::Node& node) const {
        std::vector<RequiredField> out;
        if (!node.is_sequence()) {
            return fail(
                yaml::error_at(file_, node.mark, "expected a list of {field, paths, rule}"));
        }
        for (const auto& item : node.items) {
            HELIOS_TRY(only(item, {"field", "paths", "rule"}));
            const auto* name = item.find("field");
            const auto* where = item.find("paths");
            const auto* rule = item.find("rule");
            if (name == nullptr || where == nullptr || rule == nullptr || !name->is_scalar()) {
                return fail(yaml::error_at(file_, item.mark,
                                           "a required field needs field, paths and rule"));
            }
            if (rule->text != "reject" && rule->text != "warn") {
                return fail(yaml::error_at(
                    file_, rule->mark, "rule is \"" + rule->text + "\"",
                    "reject sends the event to quarantine, warn accepts it with a warning"));
            }
            RequiredField field;
            field.name = name->text;
            field.reject = rule->text == "reject";
            HELIOS_TRY_ASSIGN(field.paths, paths(*where));
            out.push_back(std::move(field));
        }
        return out;
    }

    std::string file_;
};

void reject(Judgement& judgement, std::string_view reason, std::string error) {
    judgement.accepted = false;
    if (judgement.reason.empty()) {
        judgement.reason = reason;
    }
    judgement.errors.push_back(std::move(error));
}

void judge_key(Judgement& judgement, const EventType& type, json::Value payload) {
    const auto found = lookup_first(payload, type.key_paths);
    if (found.duplicate) {
        reject(
            judgement, "duplicate_key",
            found.path->text() + ": occurs more than once, so which one is meant cannot be known");
        return;
    }
    if (!found.value) {
        return;  // whether a key is required, `required` says
    }
    if (!found.value.is_string() && !found.value.is_number()) {
        reject(judgement, "bad_key",
               found.path->text() + ": a key is text or a number, this is " +
                   std::string(json::to_string(found.value.kind())));
        return;
    }
    if (found.value.text().size() > key_bytes_max) {
        reject(judgement, "bad_key", found.path->text() + ": longer than 1024 bytes");
        return;
    }
    if (found.value.text().find('\0') != std::string_view::npos) {
        reject(judgement, "bad_key",
               found.path->text() + ": contains NUL, so that no URL could name it");
        return;
    }
    judgement.key = found.value.text();
}

/// No time refuses an event: what can't be taken is a warning, and the next path is tried.
void judge_time(Judgement& judgement, const EventType& type, const Event& event,
                json::Value payload) {
    if (const auto envelope = claimed_time_of(event); envelope.doubtful()) {
        judgement.warnings.push_back("time: " + envelope.why);
    }
    for (const TimePath& time : type.time_paths) {
        const auto found = lookup(payload, time.path);
        if (found.duplicate) {
            reject(judgement, "duplicate_key",
                   time.path.text() +
                       ": occurs more than once, so which one is meant cannot be known");
            return;
        }
        const auto claim = claimed_time(found.value, time.unit);
        if (claim.taken()) {
            judgement.payload_time = ParsedTime{claim.at, claim.had_zone};
            return;
        }
        if (claim.doubtful()) {
            judgement.warnings.push_back(time.path.text() + ": " + claim.why);
        }
    }
}

void judge_required(Judgement& judgement, const EventType& type, json::Value payload) {
    for (const auto& field : type.required) {
        const auto found = lookup_first(payload, field.paths);
        if (found.duplicate) {
            const bool told =
                judgement.reason == "duplicate_key";  // the key rule may have met the same path
            if (!told) {
                reject(judgement, "duplicate_key",
                       found.path->text() +
                           ": occurs more than once, so which one is meant cannot be known");
            }
        } else if (!found.value) {
            if (field.reject) {
                reject(judgement, "missing_field", field.name + ": required, absent");
            } else {
                judgement.warnings.push_back(field.name + ": expected, absent");
            }
        }
    }
}

}  // namespace

Result<Catalogue> Catalogue::parse(std::string_view yaml_text, std::string_view file,
                                   std::vector<Error>* errors) {
    auto document = yaml::read(yaml_text, file);
    std::vector<Error> told = std::move(document.errors);
    Catalogue catalogue;
    catalogue.other_.topic = topic::other;
    if (document.root) {
        const CatalogueReader reader(file);
        const auto& root = *document.root;
        if (const auto known = reader.only(root, {"version", "other", "types"}); !known) {
            told.push_back(known.error());
        }
        const auto* version = root.find("version");
        if (version == nullptr || version->text != "1") {
            told.push_back(yaml::error_at(file, version == nullptr ? root.mark : version->mark,
                                          "the catalogue's version must be 1",
                                          "write  version: 1"));
        }
        const auto take = [&](const std::string& name, const yaml::Node& node, auto keep) {
            if (auto type = reader.type(name, node)) {
                keep(*std::move(type));
            } else {
                told.push_back(std::move(type).error());
            }
        };
        if (const auto* other = root.find("other")) {
            take("", *other, [&](EventType type) { catalogue.other_ = std::move(type); });
        }
        const auto* types = root.find("types");
        if (types != nullptr && !types->is_map()) {
            told.push_back(yaml::error_at(file, types->mark,
                                          "types: expected a map of event type names",
                                          "types: {OrderPlaced: {…}}"));
        } else if (types != nullptr) {
            for (const auto& member : types->members) {
                take(member.key, member.value, [&](EventType type) {
                    catalogue.types_.emplace(member.key, std::move(type));
                });
            }
        }
    }
    if (told.empty()) {
        return catalogue;
    }
    auto first = told.front();
    if (errors != nullptr) {
        errors->insert(errors->end(), std::make_move_iterator(told.begin() + 1),
                       std::make_move_iterator(told.end()));
    }
    return fail(std::move(first));
}

const Catalogue& Catalogue::shipped() {
    static const Catalogue catalogue = [] {
        auto parsed = parse(catalogue_yaml, "catalogue.yaml");
        HELIOS_ASSERT(parsed.has_value(), parsed ? "" : parsed.error().what);
        return std::move(*parsed);
    }();
    return catalogue;
}

const EventType& Catalogue::type_of(std::string_view name) const {
    const auto it = types_.find(name);
    return it == types_.end() ? other_ : it->second;
}

bool Catalogue::knows(std::string_view name) const {
    return types_.contains(name);
}

std::vector<std::string> Catalogue::type_names() const {
    std::vector<std::string> names;
    for (const auto& [name, type] : types_) {
        names.push_back(name);
    }
    return names;
}

namespace {

std::string customer_of(const EventType& type, json::Value payload) {
    for (const auto& field : type.required) {
        if (field.name == "customerId") {
            const auto found = lookup_first(payload, field.paths);
            return found.value.present() && !found.duplicate ? std::string(found.value.text())
                                                             : std::string();
        }
    }
    return {};
}

}  // namespace

Judgement Catalogue::judge(const Event& event, json::Value payload) const {
    Judgement judgement;
    if (event.type == test_event_type) {  // whatever the catalogue says
        judgement.topic = topic::other;
        return judgement;
    }
    const auto& type = type_of(event.type);
    judgement.topic = type.topic;
    judge_key(judgement, type, payload);
    judge_time(judgement, type, event, payload);
    judge_required(judgement, type, payload);
    judgement.customer = customer_of(type, payload);
    return judgement;
}

void take_judgement(Event& event, const Judgement& judgement) {
    event.key = judgement.key;
    event.customer = judgement.customer;
    if (!event.time && judgement.payload_time) {
        event.time = judgement.payload_time->at;
        event.time_had_zone = judgement.payload_time->had_zone;
    }
    event.warnings = judgement.warnings;
    if (!event.time_had_zone) {
        event.warnings.emplace_back("time: no zone, UTC assumed");
    }
}

}  // namespace helios::model
