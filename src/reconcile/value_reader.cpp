#include "reconcile/value_reader.h"

#include <algorithm>

namespace helios::reconcile {
namespace {

constexpr std::size_t list_max = 64;

}  // namespace

std::string listed(const Names& names) {
    std::string out;
    for (const auto name : names) {
        out += (out.empty() ? "" : ", ") + std::string(name);
    }
    return out;
}

bool ValueReader::is_map(const Node& node, std::string_view what, const Names& keys) {
    if (!node.is_map()) {
        complain(node.mark, std::string(what) + " must be a map", "its keys are " + listed(keys));
        return false;
    }
    for (const auto& member : node.members) {
        if (std::find(keys.begin(), keys.end(), member.key) == keys.end()) {
            const std::string near = yaml::nearest(member.key, keys);
            complain(member.key_mark, "unknown key '" + member.key + "' in " + std::string(what),
                     near.empty() ? "known here: " + listed(keys) : "did you mean '" + near + "'?");
        }
    }
    return true;
}

const yaml::Node* ValueReader::required(const Node& map, std::string_view key,
                                        std::string_view example) {
    const Node* node = map.find(key);
    if (node == nullptr) {
        complain(map.mark, "'" + std::string(key) + "' is missing",
                 "add for example  " + std::string(example));
    }
    return node;
}

std::string ValueReader::text(const Node& node, std::string_view what) {
    if (!node.is_scalar() || node.text.empty()) {
        complain(node.mark, std::string(what) + " must be a text",
                 node.is_null() ? "a value is missing" : "one value, no list and no map");
        return {};
    }
    return node.text;
}

std::string ValueReader::name(std::string_view word, yaml::Mark mark, std::string_view what) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (word.empty() || word.size() > 64 || !(word[0] >= 'a' && word[0] <= 'z') ||
        !std::all_of(word.begin(), word.end(), good)) {
        complain(mark,
                 "'" + std::string(word.substr(0, 80)) + "' is no name for " + std::string(what),
                 "lower-case letters, digits, - and _, beginning with a letter, at most 64");
    }
    return std::string(word);
}

bool ValueReader::boolean(const Node& node, std::string_view what) {
    if (!node.is_scalar() || (node.text != "true" && node.text != "false")) {
        complain(node.mark, std::string(what) + " must be true or false");
    }
    return node.text == "true";
}

Duration ValueReader::duration(const Node& node, std::string_view what) {
    const std::string value = text(node, what);
    const auto parsed = parse_duration(value);
    if (!parsed) {
        complain(node.mark, std::string(what) + ": '" + value + "' is not a duration",
                 "write a number with a unit: 250ms, 60s, 5m, 2h, 31d");
        return {};
    }
    return *parsed;
}

Duration ValueReader::duration_or_forever(const Node& node, std::string_view what) {
    return node.is_scalar() && node.text == "forever" ? forever : duration(node, what);
}

std::vector<const yaml::Node*> ValueReader::list(const Node& node, std::string_view what) {
    std::vector<const Node*> out;
    if (node.is_sequence()) {
        for (const Node& item : node.items) {
            out.push_back(&item);
        }
    } else if (!node.is_null()) {
        out.push_back(&node);
    }
    if (out.empty()) {
        complain(node.mark, std::string(what) + " is empty",
                 "name at least one, or remove the line");
    }
    if (out.size() > list_max) {
        complain(node.mark,
                 std::string(what) + " has more than " + std::to_string(list_max) + " entries");
        out.clear();
    }
    return out;
}

std::vector<std::string> ValueReader::words(const Node& node, std::string_view what) {
    std::vector<std::string> out;
    for (const Node* item : list(node, what)) {
        out.push_back(text(*item, what));
    }
    return out;
}

std::string ValueReader::choice(const Node& node, std::string_view what, const Names& names) {
    std::string word = text(node, what);
    if (!word.empty() && std::find(names.begin(), names.end(), word) == names.end()) {
        const std::string near = yaml::nearest(word, names);
        complain(node.mark, "unknown " + std::string(what) + " '" + word + "'",
                 near.empty() ? "one of " + listed(names) : "did you mean '" + near + "'?");
        return {};
    }
    return word;
}

std::optional<model::Path> ValueReader::path(const Node& node, bool each) {
    const std::string written = text(node, "a path");
    if (written.empty()) {
        return std::nullopt;
    }
    if (!node.quoted && written.find_first_not_of("0123456789.-") == std::string::npos) {
        complain(node.mark, "'" + written + "' is a number, no path",
                 "write the name of a member; put one that looks so into quotes");
        return std::nullopt;
    }
    const bool ends_in_walk = each && written.size() > 2 && written.ends_with("[]");
    auto parsed =
        model::Path::parse(ends_in_walk ? std::string_view(written).substr(0, written.size() - 2)
                                        : std::string_view(written));
    if (!parsed) {
        complain(node.mark, parsed.error().what, parsed.error().hint);
        return std::nullopt;
    }
    const auto walks = std::count_if(parsed->segments().begin(), parsed->segments().end(),
                                     [](const auto& s) { return s.each; });
    if (each && (!ends_in_walk || walks != 0)) {
        complain(node.mark, "'" + written + "' must end in [] and walk one list", "write  items[]");
        return std::nullopt;
    }
    if (!each && walks != 0) {
        complain(node.mark, "'" + written + "' walks a list; a single value is needed here",
                 "use {sum: \"items[]\", of: […]} or {each: \"items[]\", key: […], quantity: […]}");
        return std::nullopt;
    }
    return std::move(*parsed);
}

std::vector<model::Path> ValueReader::paths(const Node& node, std::string_view what) {
    std::vector<model::Path> out;
    for (const Node* item : list(node, what)) {
        if (auto parsed = path(*item, false)) {
            out.push_back(std::move(*parsed));
        }
    }
    return out;
}

std::vector<OccurredSource> ValueReader::occurred(const Node& node) {
    std::vector<OccurredSource> out;
    for (const Node* item : list(node, "occurred")) {
        OccurredSource source;
        const Node* where = item;
        if (item->is_map()) {
            is_map(*item, "a time with a unit", {"path", "unit"});
            where = required(*item, "path", "{path: created, unit: s}");
            if (const Node* unit = required(*item, "unit", "{path: created, unit: s}")) {
                source.unit =
                    parse_epoch_unit(choice(*unit, "unit of time", {"s", "ms", "us", "ns"}));
            }
            if (where == nullptr) {
                continue;
            }
        }
        source.envelope = where->is_scalar() && where->text == "envelope.time";
        if (!out.empty() && out.back().envelope) {
            complain(item->mark, "a path after envelope.time is never looked at",
                     "put envelope.time last");
        }
        if (!source.envelope) {
            auto parsed = path(*where, false);
            if (!parsed) {
                continue;
            }
            source.path = std::move(*parsed);
        }
        out.push_back(std::move(source));
    }
    return out;
}

}  // namespace helios::reconcile
