#pragma once
/// Answers as clients have or want them: compressed for who takes it, not at all for who has it
/// already. Pure; thread-safe.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "http/message.h"

namespace helios::http {

/// Smaller bodies go as they are: their headers weigh more.
inline constexpr std::size_t coded_bytes_min = 1024;

/// Whether Accept-Encoding takes `coding` ("gzip", "br"): named, or by "*", with a quality above 0.
bool accepts_coding(const Request& request, std::string_view coding);

/// As a `gzip` coding; `level` 1 (fast) to 9.
std::string gzip(std::string_view bytes, int level);

/// "gzip", "x-gzip", in any case: one and the same coding.
bool is_gzip(std::string_view coding);

struct GunzipError {
    bool too_large = false;  ///< what it decompresses to; else it is not one whole gzip member
    std::string what;
};
/// What one gzip member holds. Too large: more than `bytes_max`, or more than gunzip_free_bytes and
/// more than gunzip_ratio_max times as large as it came; no more than that is ever held.
std::expected<std::string, GunzipError> gunzip(std::string_view bytes, std::size_t bytes_max);
inline constexpr std::size_t gunzip_free_bytes = 1u << 20;
inline constexpr std::size_t gunzip_ratio_max = 100;

/// Compresses a body that is worth it, if `accepted`; says that it would have, if not. A strong
/// ETag becomes that of the coded bytes.
void code(Response& response, bool accepted);

/// Says that other requests get other answers: `Vary`, with what it has already.
void vary_by(Response& response, std::string_view header);

/// The entity tag of these bytes, quoted; strong: other bytes have another.
std::string etag_of(std::string_view bytes);

/// `response`, a good answer to `request`, with the ETag of its body; 304 without the body if
/// `If-None-Match` names it, coded or not.
Response with_etag(const Request& request, Response response);

}  // namespace helios::http
