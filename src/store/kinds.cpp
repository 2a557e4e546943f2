#include "store/kinds.h"

#include <algorithm>
#include <utility>

namespace helios::store {

void Kinds::add(Kind kind) {
    next_ = std::max(next_, kind.id + 1);
    ++of_tenant_[kind.tenant];
    ids_.emplace(
        OwnName{std::move(kind.tenant), std::move(kind.source), std::move(kind.name), kind.copies},
        kind.id);
}

std::optional<std::int64_t> Kinds::find(const KindName& pair) const {
    auto found = ids_.find(pair);
    if (found == ids_.end()) {
        found = ids_.find(KindName{pair.tenant, {}, {}, pair.copies});
    }
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

/// A pair keeps what it once got, of events and of copies alike: as soon as a tenant has the kind
/// of the rest, no further pair gets one of its own.
std::variant<std::int64_t, Kind> Kinds::find_or_new(const KindName& pair) const {
    if (const auto own = ids_.find(pair); own != ids_.end()) {
        return own->second;
    }
    const KindName other{pair.tenant, pair.source, pair.name, !pair.copies};
    const auto there = of_tenant_.find(pair.tenant);
    const bool rest_is_there = ids_.contains(KindName{pair.tenant, {}, {}, false}) ||
                               ids_.contains(KindName{pair.tenant, {}, {}, true});
    const bool own = ids_.contains(other) ||
                     (!rest_is_there && (there == of_tenant_.end() || there->second < max_));
    Kind kind{next_, std::string(pair.tenant), pair.copies, {}, {}};
    if (own) {
        kind.source = pair.source;
        kind.name = pair.name;
        return kind;
    }
    const auto rest = ids_.find(KindName{pair.tenant, {}, {}, pair.copies});
    return rest != ids_.end() ? std::variant<std::int64_t, Kind>(rest->second) : kind;
}

}  // namespace helios::store
