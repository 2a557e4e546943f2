#include "reconcile/flow_lint.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/ascii.h"
#include "base/currency.h"
#include "base/time.h"
#include "model/catalogue.h"
#include "model/event.h"
#include "reconcile/flow.h"

namespace helios::reconcile {
namespace {

using yaml::Node;

/// A list's elements, or the one value that stands for a list of one.
std::vector<const Node*> elements(const Node* node) {
    std::vector<const Node*> out;
    if (node != nullptr && node->is_sequence()) {
        for (const Node& item : node->items) {
            out.push_back(&item);
        }
    } else if (node != nullptr && !node->is_null()) {
        out.push_back(node);
    }
    return out;
}

std::string written(const Node* node) {
    std::string out;
    for (const Node* each : elements(node)) {
        out += each->text + '\n';
    }
    return out;
}

class Linter {
public:
    Linter(std::string_view file, std::vector<Error>& errors, std::vector<Error>& warnings)
        : file_(file), errors_(errors), warnings_(warnings) {}

    void lint(const Node& root) {
        if (const Node* currency = root.find("currency");
            currency != nullptr && currency->is_scalar()) {
            lint_currency(*currency);
        }
        if (const Node* legs = root.find("legs"); legs != nullptr) {
            for (const auto& member : legs->members) {
                lint_leg(member.key, member.value);
            }
            lint_twins(*legs);
        }
        if (const Node* checks = root.find("checks"); checks != nullptr) {
            for (const auto& member : checks->members) {
                lint_check(member.value, root.find("legs"));
            }
        }
        warn_of_repetitions(root.find("at_risk"), "at_risk");
    }

private:
    void complain(yaml::Mark mark, std::string what, std::string hint) {
        errors_.push_back(yaml::error_at(file_, mark, std::move(what), std::move(hint)));
    }
    void warn(yaml::Mark mark, std::string what, std::string hint) {
        warnings_.push_back(
            yaml::error_at(file_, mark, "warning: " + std::move(what), std::move(hint)));
    }

    void lint_currency(const Node& node) {
        const auto code = ascii::upper(node.text);
        const bool letters = code.size() == 3 && std::all_of(code.begin(), code.end(), [](char c) {
                                 return c >= 'A' && c <= 'Z';
                             });
        if (!letters && !node.text.empty()) {
            complain(node.mark, "currency '" + node.text + "' is not three letters",
                     "write an ISO 4217 code, for example  EUR");
        } else if (code != node.text && letters) {
            warn(node.mark, "currency '" + node.text + "' is taken as " + code, "write  " + code);
        }
        if (letters && !is_iso_4217(code)) {
            warn(node.mark,
                 "currency " + code +
                     " is not one that ISO 4217 lists: each amount in it gets a data warning",
                 "write an ISO 4217 code, for example  EUR");
        }
    }

    /// "any" where a word is taken as it stands.
    void lint_leg(const std::string& name, const Node& leg) {
        if (const Node* type = leg.find("type"); type != nullptr && type->is_scalar()) {
            if (ascii::lower(type->text) == "any" || type->text == "*") {
                complain(
                    type->mark,
                    "type '" + type->text + "' is no wildcard: it is one event type of that name",
                    "write the event type that leg '" + name +
                        "' waits for; only source can be any");
            } else {
                lint_type(*type);
            }
        }
        lint_sources(elements(leg.find("source")));
        if (const Node* deadline = leg.find("deadline");
            deadline != nullptr && deadline->is_scalar()) {
            if (const auto parsed = parse_duration(deadline->text);
                parsed && *parsed == Duration::zero()) {
                warn(deadline->mark,
                     "deadline 0: leg '" + name + "' is in time only if it opens the case",
                     "write how long after the case opened it may come, for example  60s");
            }
        }
        if (const Node* status = leg.find("status"); status != nullptr) {
            warn_of_repetitions(status->find("counts"), "counts");
            warn_of_repetitions(status->find("does_not_count"), "does_not_count");
        }
        const Node* read = leg.find("read");
        for (std::size_t i = 0; read != nullptr && i < read->members.size(); ++i) {
            warn_of_repetitions(read->members[i].value.find("first"), "first");
        }
    }

    void lint_type(const Node& type) {
        const auto& catalogue = model::Catalogue::shipped();
        if (catalogue.knows(type.text)) {
            return;
        }
        const auto names = catalogue.type_names();
        constexpr std::size_t typo = 2;
        const auto near = yaml::nearest(type.text, {names.begin(), names.end()}, typo);
        if (!near.empty()) {
            warn(
                type.mark,
                "event type '" + type.text + "' is not in the shipped catalogue, '" + near + "' is",
                "did you mean '" + near + "'?");
        }
    }

    void lint_sources(const std::vector<const Node*>& sources) {
        std::set<std::string> seen;
        for (const Node* source : sources) {
            const auto& word = source->text;
            const auto small = ascii::lower(word);
            const bool wildcard = small == "any" || word == "*";
            if (wildcard && (sources.size() > 1 || word != "any")) {
                complain(source->mark,
                         "source '" + word + "' is no wildcard here: it is one source of that name",
                         "for every source write  source: any");
            } else if (!wildcard && small != word && model::is_built_in_source(small)) {
                warn(source->mark,
                     "source '" + word + "' is not '" + small +
                         "': names are compared letter by letter",
                     "did you mean '" + small + "'?");
            }
            if (!seen.insert(word).second) {
                warn(source->mark, "source '" + word + "' stands here twice", "keep one of them");
            }
        }
    }

    /// Legs to which every event of one is an event of the other.
    void lint_twins(const Node& legs) {
        for (std::size_t i = 0; i < legs.members.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                const auto& [a, b] = std::pair(&legs.members[j], &legs.members[i]);
                const bool same =
                    b->value.find("type") != nullptr &&
                    std::all_of(same_events.begin(), same_events.end(), [&](auto key) {
                        return written(a->value.find(key)) == written(b->value.find(key));
                    });
                if (same) {
                    warn(b->key_mark,
                         "leg '" + b->key + "' wants the same events as leg '" + a->key + "'",
                         "each event goes to both; for several events of one kind write  "
                         "cardinality: many");
                    break;
                }
            }
        }
    }

    void lint_check(const Node& check, const Node* legs) {
        const Node* expected = check.find("expected");
        const Node* actual = check.find("actual");
        if (expected != nullptr && actual != nullptr && expected->is_scalar() &&
            expected->text == actual->text) {
            complain(
                actual->mark,
                "expected and actual are both '" + actual->text + "': such a check never fails",
                "name the reads of two legs");
        }
        const Node* kind = check.find("kind");
        if (kind != nullptr && kind->text == to_string(Check::Kind::skew)) {
            const Node* named = check.find("legs");
            const auto words = elements(named);
            std::set<std::string> distinct;
            for (const Node* word : words) {
                distinct.insert(word->text);
            }
            if (named != nullptr && distinct.size() == 1) {
                complain(named->mark, "skew over one leg never fails",
                         "name two or more, or leave legs out: all of them");
            } else if (named == nullptr && legs != nullptr && legs->members.size() == 1) {
                complain(kind->mark, "skew over one leg never fails",
                         "this flow has one leg: remove the check");
            } else {
                warn_of_repetitions(named, "legs");
            }
        }
    }

    void warn_of_repetitions(const Node* list, std::string_view what) {
        std::set<std::string> seen;
        for (const Node* each : elements(list)) {
            if (each->is_scalar() && !seen.insert(each->text).second) {
                warn(each->mark, std::string(what) + " has '" + each->text + "' twice",
                     "keep one of them");
            }
        }
    }

    static constexpr std::array<std::string_view, 3> same_events{"source", "type", "key"};

    std::string_view file_;
    std::vector<Error>& errors_;
    std::vector<Error>& warnings_;
};

}  // namespace

void lint_flow(const Node& root, std::string_view file, std::vector<Error>& errors,
               std::vector<Error>& warnings) {
    Linter(file, errors, warnings).lint(root);
}

}  // namespace helios::reconcile
