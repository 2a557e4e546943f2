#pragma once
/// What stands after the legs names legs and what they read: checks, the anchor, money at risk.

#include "reconcile/value_reader.h"

namespace helios::reconcile {

/// In a sentence: "a decimal", "items".
std::string in_words(Read::Type type);

/// Complains where `values` does. `flow`, whose legs have been read, outlives it.
class ReferenceReader : public ValueReader {
public:
    ReferenceReader(const ValueReader& values, const Flow& flow)
        : ValueReader(values), flow_(flow) {}

    /// "leg.read", of that type; without one, of any.
    std::optional<ReadRef> reference(const Node& node, std::optional<Read::Type> type);
    /// The leg of that name. `what` begins the complaint: "anchor ".
    std::optional<std::size_t> leg(const std::string& word, yaml::Mark mark,
                                   std::string_view what = {});

    const std::vector<Leg>& legs() const { return flow_.legs; }

private:
    const Read* find_read(std::string_view word) const;

    const Flow& flow_;
};

}  // namespace helios::reconcile
