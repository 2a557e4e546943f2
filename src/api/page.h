#pragma once
/// What every paged list has: a range of times, a limit, where it goes on. Private to the room.

#include "api/cursor.h"
#include "api/endpoint.h"
#include "base/json.h"
#include "store/queries.h"

namespace helios::api {

/// Reads start_time and end_time (into the member of the filter that they concern), limit and
/// cursor. invalid: says which.
template <class Filter, class Decode>
Status read_page(const QueryReader& query, const Options& options, store::TimeRange Filter::* times,
                 Decode decode, Filter& filter) {
    HELIOS_TRY_ASSIGN(filter.*times, query.range());
    HELIOS_TRY_ASSIGN(filter.limit, query.limit(options));
    if (const auto cursor = query.text("cursor")) {
        HELIOS_TRY_ASSIGN(filter.after, decode(*cursor));
    }
    return {};
}

/// Whose sources a filter is held against: those of events, or also of what waits in quarantine.
enum class SourcesOf : std::uint8_t { events, all };

/// Where those that are there write the source or type that was asked for otherwise: a sentence
/// that says how; else empty.
Result<std::string> spelling_hint(store::Queries& rows, const TenantId& tenant, SourcesOf of,
                                  const std::optional<std::string>& source,
                                  const std::optional<std::string>& type = {});
/// The same as member "hint" of an empty list.
Status write_spelling_hint(json::Writer& out, store::Queries& rows, const TenantId& tenant,
                           SourcesOf of, const std::optional<std::string>& source,
                           const std::optional<std::string>& type = {});

/// "nextCursor": null on the last page.
inline void write_next_cursor(json::Writer& out, const std::optional<std::string>& next) {
    out.key("nextCursor");
    if (next) {
        out.string(*next);
    } else {
        out.null();
    }
}
template <class Cursor>
void write_next_cursor(json::Writer& out, CursorMark mark, const std::optional<Cursor>& next) {
    write_next_cursor(out,
                      next.transform([mark](const Cursor& c) { return encode_cursor(mark, c); }));
}

}  // namespace helios::api
