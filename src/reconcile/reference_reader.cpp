#include "reconcile/reference_reader.h"

#include <algorithm>

namespace helios::reconcile {
namespace {

std::string_view word_of(Read::Type type) {
    return type == Read::Type::items ? "items" : type == Read::Type::decimal ? "decimal" : "text";
}

}  // namespace

std::string in_words(Read::Type type) {
    return (type == Read::Type::items ? "" : "a ") + std::string(word_of(type));
}

std::optional<ReadRef> ReferenceReader::reference(const Node& node,
                                                  std::optional<Read::Type> type) {
    const std::string word = text(node, "a reference");
    const auto dot = word.find('.');
    Names known;
    std::vector<std::string> names;
    for (const Leg& l : flow_.legs) {
        for (const Read& r : l.reads) {
            if (!type || r.type == *type) {
                names.push_back(l.name + "." + r.name);
            }
        }
    }
    known.assign(names.begin(), names.end());
    if (std::find(names.begin(), names.end(), word) == names.end()) {
        const std::string near = yaml::nearest(word, known);
        const Read* other = find_read(word);
        complain(node.mark,
                 other != nullptr ? "'" + word + "' is " + in_words(other->type) + ", and " +
                                        in_words(*type) + " is needed here"
                                  : "'" + word + "' is no read of a leg" +
                                        (type ? "; " + in_words(*type) + " is needed here" : ""),
                 !near.empty() ? "did you mean '" + near + "'?"
                 : known.empty()
                     ? "write leg.read" +
                           (type ? ", a read of  type: " + std::string(word_of(*type)) : "")
                     : "one of " + listed(known));
        return std::nullopt;
    }
    const std::size_t l = *flow_.leg_index(std::string_view(word).substr(0, dot));
    return ReadRef{l, *flow_.legs[l].read_index(std::string_view(word).substr(dot + 1))};
}

/// "leg.read" of any type.
const Read* ReferenceReader::find_read(std::string_view word) const {
    const auto dot = std::min(word.find('.'), word.size());
    const auto leg = flow_.leg_index(word.substr(0, dot));
    const auto read =
        leg && dot < word.size() ? flow_.legs[*leg].read_index(word.substr(dot + 1)) : std::nullopt;
    return read ? &flow_.legs[*leg].reads[*read] : nullptr;
}

std::optional<std::size_t> ReferenceReader::leg(const std::string& word, yaml::Mark mark,
                                                std::string_view what) {
    const auto index = flow_.leg_index(word);
    if (!index) {
        Names names;
        for (const Leg& l : flow_.legs) {
            names.push_back(l.name);
        }
        const std::string near = yaml::nearest(word, names);
        complain(mark, std::string(what) + "'" + word + "' is no leg of this flow",
                 near.empty() ? "one of " + listed(names) : "did you mean '" + near + "'?");
    }
    return index;
}

}  // namespace helios::reconcile
