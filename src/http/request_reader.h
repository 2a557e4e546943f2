#pragma once
/// Bytes → requests, strictly.
///
/// Beast splits the bytes; what Beast forgives and other servers read differently is refused here,
/// so that nobody can make us see another request than the proxy in front of us saw (request
/// smuggling). Knows no socket, no route and no clock.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "http/byte_budget.h"
#include "http/input.h"
#include "http/message.h"
#include "http/options.h"

namespace helios::http {

/// What the header says beside what goes into the Request. The views are into the Input: good until
/// bytes are added to it.
struct RequestHead {
    std::string_view target;
    std::string_view host;  ///< of the Host header
    /// As it was sent, when it is none of those that Request can have.
    std::string_view other_method;
    bool host_seen = false;
    bool http_1_0 = false;
    bool keep_alive = true;
    bool has_body = false;
    bool encoded = false;  ///< Content-Encoding other than identity
    bool gzip = false;     ///< it is gzip, and that alone
    bool expects_continue = false;
    bool expects_other = false;  ///< an Expect that is not 100-continue
    bool origin_twice = false;   ///< more than one Origin, or Sec-Fetch-Site
    std::optional<std::uint64_t> content_length;
};

/// Reads one request after another. Not thread-safe. Options and budget outlive it.
class RequestReader {
public:
    enum class Outcome {
        starved,   ///< add bytes, then advance again
        header,    ///< the header is read: judge head() and request(), then set_body_limit() and
                   ///< advance, or drop()
        complete,  ///< request() is whole: take it, and charge(), then drop()
        refused,   ///< refusal() says why; the bytes that follow mean nothing: close
    };

    RequestReader(const ServerOptions& options, ByteBudget& budget);
    ~RequestReader();

    Outcome advance(Input& input);

    bool busy() const { return phase_ != Phase::idle; }  ///< in the middle of a request
    bool in_head() const { return phase_ == Phase::header; }
    bool in_body() const { return phase_ == Phase::body; }

    RequestHead& head() { return head_; }
    Request& request() { return request_; }
    Charge& charge() { return charge_; }
    Response take_refusal() { return std::move(refusal_); }

    /// 0 until set: after the header nothing of the body is kept without it. `spare`: how much of
    /// the budget its body leaves to others.
    void set_body_limit(std::size_t bytes, std::size_t spare = 0) {
        body_bytes_max_ = bytes;
        spare_ = spare;
    }

    /// Forgets the request: the next byte begins another.
    void drop();

    static Response too_large(std::size_t bytes_max);  ///< 413
    static Response no_room();                         ///< 503: the byte budget is used up

private:
    class Parser;
    enum class Phase { idle, header, judged, body };

    void begin();
    Outcome read_header(Input& input);
    std::string_view look_at_lines(std::string_view bytes);
    Outcome parse_header(std::string_view block);
    Outcome begin_body();
    Outcome read_body(Input& input);
    Outcome refuse(Response response);
    bool make_room(std::size_t bytes);

    const ServerOptions& options_;
    ByteBudget& budget_;
    std::unique_ptr<Parser> parser_;
    Phase phase_ = Phase::idle;
    RequestHead head_;
    Request request_;
    Charge charge_;
    Response refusal_;
    bool refusal_set_ = false;
    std::size_t body_bytes_max_ = 0;
    std::size_t spare_ = 0;
    std::size_t header_charge_ = 0;
    std::size_t scanned_ = 0;     ///< bytes of the header that have been looked at
    std::size_t line_begin_ = 0;  ///< of the line that has not ended there
    std::size_t head_bytes_ = 0;  ///< with the empty line behind it; 0: that has not come
};

}  // namespace helios::http
