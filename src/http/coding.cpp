#include "http/coding.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>
#define ZLIB_CONST  // what it only reads is const
#include <zlib.h>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/hash.h"
#include "http/outgoing.h"
#include "http/url.h"

namespace helios::http {

namespace {

constexpr int level_of_answers = 1;  // made while somebody waits
constexpr std::string_view coded_suffix = "-gzip";

/// Cuts the next part off.
std::string_view next_part(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    const auto part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return ascii::trimmed(part);
}

bool has_quality(std::string_view parameters) {
    while (!parameters.empty()) {
        const auto parameter = next_part(parameters, ';');
        if (parameter.size() > 2 && equal_ignoring_case(parameter.substr(0, 2), "q=")) {
            return parameter.find_first_of("123456789", 2) != std::string_view::npos;
        }
    }
    return true;
}

std::string* find_header(Response& response, std::string_view name) {
    for (auto& [known, value] : response.headers) {
        if (equal_ignoring_case(known, name)) {
            return &value;
        }
    }
    return nullptr;
}

bool is_text(std::string_view media_type) {
    return media_type.starts_with("text/") || media_type.starts_with("application/json") ||
           media_type.starts_with("application/problem+json") ||
           media_type.starts_with("image/svg+xml");
}

/// Under which tag a client has what `etag` names, in whatever coding; nullopt: it has not. Weak
/// comparison (RFC 9110 13.1.2).
std::optional<std::string> known_as(std::string_view if_none_match, std::string_view etag) {
    const auto open = etag.substr(0, etag.size() - 1);  // without the closing quote
    while (!if_none_match.empty()) {
        auto listed = next_part(if_none_match, ',');
        if (listed == "*") {
            return std::string(etag);
        }
        if (listed.starts_with("W/")) {
            listed.remove_prefix(2);
        }
        if (listed == etag ||
            (listed.starts_with(open) && listed.substr(open.size()) == "-gzip\"")) {
            return std::string(listed);
        }
    }
    return std::nullopt;
}

}  // namespace

bool accepts_coding(const Request& request, std::string_view coding) {
    bool by_star = false;
    for (const auto& [name, value] : request.headers) {
        if (!equal_ignoring_case(name, "Accept-Encoding")) {
            continue;
        }
        for (std::string_view rest = value; !rest.empty();) {
            auto parameters = next_part(rest, ',');
            const auto listed = next_part(parameters, ';');
            if (equal_ignoring_case(listed, coding)) {
                return has_quality(parameters);
            }
            by_star = by_star || (listed == "*" && has_quality(parameters));
        }
    }
    return by_star;
}

std::string gzip(std::string_view bytes, int level) {
    constexpr int window_bits_of_gzip = 15 + 16;
    constexpr int memory_level = 8;  // zlib's own
    z_stream stream{};
    HELIOS_ASSERT(deflateInit2(&stream, level, Z_DEFLATED, window_bits_of_gzip, memory_level,
                               Z_DEFAULT_STRATEGY) == Z_OK,
                  "zlib has memory and knows these parameters");
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    HELIOS_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END, "all fits within zlib's own bound");
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

bool is_gzip(std::string_view coding) {
    return equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip");
}

std::expected<std::string, GunzipError> gunzip(std::string_view bytes, std::size_t bytes_max) {
    const auto broken = [](std::string what) {
        return std::unexpected(GunzipError{false, std::move(what)});
    };
    if (bytes.empty()) {
        return broken("the compressed body is empty");
    }
    constexpr int window_bits_of_gzip = 15 + 16;
    z_stream stream{};
    HELIOS_ASSERT(inflateInit2(&stream, window_bits_of_gzip) == Z_OK,
                  "zlib has memory and knows these parameters");
    const auto end_inflate = [](z_stream* ended) { inflateEnd(ended); };
    const std::unique_ptr<z_stream, decltype(end_inflate)> ends(&stream, end_inflate);
    // As much again as has come is expected at first; what more there is grows step by step.
    constexpr std::size_t step_least = 4u << 10;
    const std::size_t by_ratio =
        bytes.size() > bytes_max / gunzip_ratio_max ? bytes_max : bytes.size() * gunzip_ratio_max;
    const std::size_t most = std::min(bytes_max, std::max(gunzip_free_bytes, by_ratio));
    stream.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    std::string out;
    for (int status = Z_OK; status != Z_STREAM_END;) {
        const std::size_t had = out.size();
        // One byte more than may be: it shows that there is more.
        out.resize(std::min(most + 1, had + std::max({step_least, had, bytes.size()})));
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
        stream.avail_out = static_cast<uInt>(out.size() - had);
        status = inflate(&stream, Z_NO_FLUSH);
        out.resize(out.size() - stream.avail_out);
        if (out.size() > most) {
            return std::unexpected(GunzipError{
                true, out.size() > bytes_max
                          ? fmt::format("the body decompresses to more than {} bytes", bytes_max)
                          : fmt::format("the body decompresses to more than {} times its size",
                                        gunzip_ratio_max)});
        }
        if (status == Z_DATA_ERROR || status == Z_NEED_DICT || status == Z_STREAM_ERROR) {
            return broken("the compressed body is damaged, or no gzip");
        }
        if (status != Z_STREAM_END && out.size() == had && stream.avail_in == 0) {
            return broken("the compressed body ends too early");
        }
    }
    if (stream.avail_in != 0) {
        return broken("behind the compressed body more bytes follow: one gzip member is read");
    }
    return out;
}

void vary_by(Response& response, std::string_view header) {
    if (auto* vary = find_header(response, "Vary")) {
        if (vary->find(header) == std::string::npos) {
            *vary += ", ";
            *vary += header;
        }
    } else {
        response.with("Vary", std::string(header));
    }
}

void code(Response& response, bool accepted) {
    constexpr std::size_t coded_bytes_max = std::size_t{1} << 30;  // zlib counts in 32 bits
    const auto* media_type = find_header(response, "Content-Type");
    if (response.body.size() < coded_bytes_min || response.body.size() > coded_bytes_max ||
        media_type == nullptr || !is_text(*media_type) ||
        find_header(response, "Content-Encoding") != nullptr) {
        return;
    }
    vary_by(response, "Accept-Encoding");
    if (!accepted) {
        return;
    }
    end_json_in_a_line(response);
    response.body = gzip(response.body, level_of_answers);
    response.with("Content-Encoding", "gzip");
    if (auto* etag = find_header(response, "ETag"); etag != nullptr && etag->starts_with('"')) {
        etag->insert(etag->size() - 1, coded_suffix);
    }
}

std::string etag_of(std::string_view bytes) {
    return "\"" + to_hex(sha256_128(bytes)) + "\"";
}

Response with_etag(const Request& request, Response response) {
    auto etag = etag_of(response.body);
    const auto* known = request.header("If-None-Match");
    if (auto tag = known == nullptr ? std::nullopt : known_as(*known, etag)) {
        etag = *std::move(tag);  // of what the client keeps
        response.status = 304;
        response.body.clear();
        std::erase_if(response.headers, [](const auto& header) {
            return equal_ignoring_case(header.first, "Content-Type") ||
                   equal_ignoring_case(header.first, "Content-Encoding");
        });
        vary_by(response, "Accept-Encoding");
    }
    response.with("ETag", std::move(etag));
    return response;
}

}  // namespace helios::http
