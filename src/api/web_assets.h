#pragma once
/// Third-party files of the documentation pages (Swagger UI, ReDoc), embedded into the program.
///
/// They are fetched at setup and compiled in by cmake/assets.cmake (target `helios_web_assets`), so
/// the pages work without any other host. The list is empty when setup could not fetch them: the
/// pages then say what is missing. Knows no page and no route: what surrounds these files is
/// written by its callers.

#include <span>
#include <string_view>

namespace helios::api {

/// One file: the path it is served under ("/docs/swagger-ui.css"), its media type, its bytes. All
/// point into the program.
struct WebAsset {
    std::string_view path;
    std::string_view media_type;
    std::string_view bytes;
    std::string_view gzip{};    ///< the same, compressed; empty: not at hand
    std::string_view brotli{};  ///< likewise
};

/// Every embedded file, sorted by path. Valid for the life of the process; may be empty.
std::span<const WebAsset> web_assets();

}  // namespace helios::api
