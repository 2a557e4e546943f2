#include "app/nothing_judged.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/shown.h"
#include "base/yaml.h"

namespace helios::app {
namespace {

constexpr std::size_t kinds_max = 5;
constexpr std::size_t members_max = 12;

void add_once(std::vector<std::string>& list, std::string text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) {
        list.push_back(std::move(text));
    }
}

std::string joined(const std::vector<std::string>& list) {
    std::string out;
    for (const auto& text : list) {
        out += (out.empty() ? "" : ", ") + printable(text);
    }
    return out;
}

bool wanted(const reconcile::OfflineSummary& summary, const FirstEvents::Kind& kind) {
    return std::any_of(summary.flows.begin(), summary.flows.end(), [&](const auto& flow) {
        return std::any_of(flow->legs.begin(), flow->legs.end(), [&](const reconcile::Leg& leg) {
            return leg.wants(kind.source, kind.type);
        });
    });
}

/// "flow order wants aws OrderPlaced, gcp PaymentProcessed".
std::string what_flows_want(const reconcile::OfflineSummary& summary) {
    std::string out;
    for (const auto& flow : summary.flows) {
        std::vector<std::string> legs;
        for (const auto& leg : flow->legs) {
            std::string sources;
            for (const auto& source : leg.sources) {
                sources += (sources.empty() ? "" : "/") + source;
            }
            add_once(legs, (sources.empty() ? "any source" : sources) + " " + leg.type);
        }
        out += fmt::format("  flow {} wants: {}\n", flow->name, joined(legs));
    }
    return out;
}

std::string what_came(const FirstEvents& first) {
    std::string out = "  the first events had:\n";
    for (const auto& kind : first.kinds()) {
        out += fmt::format("    {} {} with {}\n", printable(kind.source), printable(kind.type),
                           kind.members.empty() ? "an empty payload" : joined(kind.members));
    }
    return out;
}

std::vector<std::string> key_paths(const reconcile::Flow& flow) {
    std::vector<std::string> paths;
    for (const auto& leg : flow.legs) {
        for (const auto& path : leg.key_paths) {
            add_once(paths, path.text());
        }
    }
    return paths;
}

std::string where_keys_are_looked_for(const reconcile::OfflineSummary& summary) {
    std::string out;
    for (const auto& flow : summary.flows) {
        out += fmt::format("  flow {} looks for its key at: {}\n", flow->name,
                           joined(key_paths(*flow)));
    }
    return out;
}

/// The member that may have been meant by one of the paths; empty if none is near.
std::string nearest_member(const reconcile::OfflineSummary& summary, const FirstEvents& first) {
    for (const auto& flow : summary.flows) {
        for (const auto& kind : first.kinds()) {
            const std::vector<std::string_view> members(kind.members.begin(), kind.members.end());
            for (const auto& path : key_paths(*flow)) {
                if (auto near = yaml::nearest(path, members);
                    wanted(summary, kind) && !near.empty()) {
                    return near;
                }
            }
        }
    }
    return {};
}

std::string without_keys(const reconcile::OfflineSummary& summary, const FirstEvents& first) {
    const std::string near = printable(nearest_member(summary, first));
    return where_keys_are_looked_for(summary) + what_came(first) +
           fmt::format(
               "  {}write the path in the flow, for example  key: {{paths: [{}]}}  and pass it "
               "with --flow FILE\n",
               near.empty() ? "" : fmt::format("is \"{}\" meant? ", near),
               near.empty() ? "THE.PATH" : near);
}

}  // namespace

bool FirstEvents::has_room_for(std::string_view source, std::string_view type) const {
    return kinds_.size() < kinds_max &&
           std::none_of(
               kinds_.begin(), kinds_.end(),
               [&](const Kind& kind) { return kind.source == source && kind.type == type; });
}

void FirstEvents::add(const FirstEvents& later) {
    for (const Kind& kind : later.kinds_) {
        if (has_room_for(kind.source, kind.type)) {
            kinds_.push_back(kind);
        }
    }
}

void FirstEvents::see(const model::Event& event, json::Value payload) {
    if (!has_room_for(event.source, event.type)) {
        return;
    }
    Kind kind{event.source, event.type, {}};
    for (std::size_t i = 0; i < payload.size() && kind.members.size() < members_max; ++i) {
        const std::string name(payload.key_at(i));
        const json::Value value = payload.at(i);
        kind.members.push_back(name);
        for (std::size_t k = 0;
             value.is_object() && k < value.size() && kind.members.size() < members_max; ++k) {
            kind.members.push_back(name + "." + std::string(value.key_at(k)));
        }
    }
    kinds_.push_back(std::move(kind));
}

std::string nothing_judged(const reconcile::OfflineSummary& summary, const LinesRead& lines,
                           const FirstEvents& first) {
    if (summary.cases > 0) {
        return summary.keyless == 0 ? std::string()
                                    : "events without a key belong to no case\n" +
                                          where_keys_are_looked_for(summary);
    }
    if (lines.all + lines.rejected == 0) {
        return "no case was judged: the input is empty\n  pass event lines (NDJSON), for example "
               "from `helios log export`\n";
    }
    if (summary.events == 0 && lines.rejected > 0) {
        return "no case was judged: every event line was rejected, see above\n";
    }
    if (summary.events == 0) {
        return fmt::format("no case was judged: {} control lines, and no event\n", lines.control);
    }
    if (summary.after_as_of >= summary.events) {
        return fmt::format(
            "no case was judged: all {} events came after --as-of\n  choose a later time; the "
            "first came at {}\n",
            summary.events, format_rfc3339(summary.first_after_as_of));
    }
    if (summary.keyless > 0) {
        return "no case was judged: no event that a flow wants has its key\n" +
               without_keys(summary, first);
    }
    return "no case was judged: no flow wants such events\n" + what_flows_want(summary) +
           what_came(first) + "  pass the flow that these events are for with --flow FILE\n";
}

}  // namespace helios::app
