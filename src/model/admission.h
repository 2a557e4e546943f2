#pragma once
/// What every door asks of an event before it may enter the log: is its source known, does it keep
/// its type's rules, does its record fit. One place, so that the server and offline work accept and
/// refuse the same, for the same reason and in the same words.

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/tenant.h"
#include "model/catalogue.h"
#include "model/event.h"

namespace helios::model {

/// Does an active flow of this tenant name that source? Not asked of the built-in ones, which all
/// tenants know.
using KnownSource = std::function<bool(const TenantId& tenant, std::string_view source)>;

/// The sources that flows name, each tenant's own. Not thread-safe while names are added.
class NamedSources {
public:
    void add(const TenantId& tenant, const std::vector<std::string>& sources) {
        names_[tenant].insert(sources.begin(), sources.end());
    }
    bool contains(const TenantId& tenant, std::string_view source) const {
        const auto of_tenant = names_.find(tenant);
        return of_tenant != names_.end() && of_tenant->second.contains(source);
    }

private:
    std::map<TenantId, std::set<std::string, std::less<>>> names_;
};

struct Admission {
    TopicId topic{};     ///< where it goes when admitted
    std::string reason;  ///< code, "unknown_source" or a Judgement's; empty: admitted
    std::string detail;  ///< a sentence for a person
    std::vector<std::string> errors;
    bool admitted() const { return reason.empty(); }
};

/// The event gets its key, where one can be read, before any refusal, so that quarantined events
/// can be found by key. An admitted event also gets the payload's time and the warnings.
Admission admit(Event& event, json::Value payload, const Catalogue& catalogue,
                const KnownSource& known);

/// The last question, of the encoded record.
Admission too_large(std::size_t record_bytes_max);

}  // namespace helios::model
