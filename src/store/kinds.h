#pragma once
/// Which kinds there are of things that lists filter by two names: pairs (source and type of an
/// event, source and reason of an item in quarantine) are numbered as they come, a tenant's first
/// ones each for itself, the rest together. Each kind is in the order of time, so a list is a merge
/// of few. Private to the room.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/result.h"

namespace helios::store {

struct Kind {
    std::int64_t id = 0;
    std::string tenant;
    bool copies = false;  ///< of events: further records of them, in no list
    std::optional<std::string> source;
    std::optional<std::string> name;  ///< type or reason; with source; none: the rest
    /// May something of this source and name be of this kind?
    bool may_hold(std::optional<std::string_view> source_asked,
                  std::optional<std::string_view> name_asked) const {
        return (!source_asked || !source || *source == *source_asked) &&
               (!name_asked || !name || *name == *name_asked);
    }
};

/// A pair that is looked for.
struct KindName {
    std::string_view tenant;
    std::optional<std::string_view> source;
    std::optional<std::string_view> name;
    bool copies = false;
    friend auto operator<=>(const KindName&, const KindName&) = default;
};

/// What a table of kinds holds, in memory. Not thread-safe.
class Kinds {
public:
    explicit Kinds(std::size_t of_tenant_max) : max_(of_tenant_max) {}

    void clear() { *this = Kinds(max_); }
    void add(Kind kind);
    /// The kind that things of that pair are of; nullopt: there is none of them yet.
    std::optional<std::int64_t> find(const KindName& pair) const;
    /// The same; one that there is not yet is made: `insert` writes it down before it counts.
    template <class Insert>
    Result<std::int64_t> find_or_make(const KindName& pair, const Insert& insert) {
        auto found = find_or_new(pair);
        if (const auto* id = std::get_if<std::int64_t>(&found)) {
            return *id;
        }
        Kind& kind = std::get<Kind>(found);
        const std::int64_t id = kind.id;
        HELIOS_TRY(insert(kind));
        add(std::move(kind));
        return id;
    }

private:
    /// The kind that is there, or that must be made.
    std::variant<std::int64_t, Kind> find_or_new(const KindName& pair) const;

    struct OwnName {
        std::string tenant;
        std::optional<std::string> source;
        std::optional<std::string> name;
        bool copies;
        KindName view() const { return {tenant, source, name, copies}; }
    };
    struct ByName {
        using is_transparent = void;
        static KindName view(const KindName& name) { return name; }
        static KindName view(const OwnName& name) { return name.view(); }
        bool operator()(const auto& a, const auto& b) const { return view(a) < view(b); }
    };

    std::size_t max_;
    std::map<OwnName, std::int64_t, ByName> ids_;
    std::map<std::string, std::size_t, std::less<>> of_tenant_;
    std::int64_t next_ = 1;
};

}  // namespace helios::store
