#include "api/page.h"

#include <fmt/format.h>

#include "base/shown.h"
#include "base/yaml.h"

namespace helios::api {
namespace {

/// A sentence, or nothing: the word is one of those, or near none.
std::string other_spelling(std::string_view what, const std::string& word,
                           const std::vector<std::string>& known) {
    const auto near = yaml::nearest(word, {known.begin(), known.end()});
    if (near.empty() || near == word) {
        return {};
    }
    return fmt::format("no event has {} {}; did you mean {}?", what, shown(word), near);
}

Result<std::vector<std::string>> sources_of(store::Queries& rows, const TenantId& tenant,
                                            SourcesOf of) {
    HELIOS_TRY_ASSIGN(auto sources, rows.sources(tenant));
    if (of == SourcesOf::all) {
        HELIOS_TRY_ASSIGN(const auto more, rows.quarantine_sources(tenant));
        sources.insert(sources.end(), more.begin(), more.end());
    }
    return sources;
}

}  // namespace

Result<std::string> spelling_hint(store::Queries& rows, const TenantId& tenant, SourcesOf of,
                                  const std::optional<std::string>& source,
                                  const std::optional<std::string>& type) {
    std::string hint;
    if (source) {
        HELIOS_TRY_ASSIGN(const auto known, sources_of(rows, tenant, of));
        hint = other_spelling("source", *source, known);
    }
    if (type) {
        HELIOS_TRY_ASSIGN(const auto known, rows.event_types(tenant));
        const auto of_type = other_spelling("type", *type, known);
        hint += (hint.empty() || of_type.empty() ? "" : " ") + of_type;
    }
    return hint;
}

Status write_spelling_hint(json::Writer& out, store::Queries& rows, const TenantId& tenant,
                           SourcesOf of, const std::optional<std::string>& source,
                           const std::optional<std::string>& type) {
    HELIOS_TRY_ASSIGN(const auto hint, spelling_hint(rows, tenant, of, source, type));
    if (!hint.empty()) {
        out.field("hint", hint);
    }
    return {};
}

}  // namespace helios::api
