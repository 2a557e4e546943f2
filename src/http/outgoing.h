#pragma once
/// Responses as bytes: the head is written here, small bodies are copied behind it, large ones are
/// sent uncopied. Knows no socket.

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/message.h"

namespace helios::http {

std::string_view reason_phrase(int status);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate).
std::string format_http_date(Instant t);

/// So that a shell's prompt does not stand behind it. What is coded stays as it is.
void end_json_in_a_line(Response& response);

/// What a response needs to know of its request.
struct Framing {
    bool head = false;       ///< answers HEAD: the body is announced, not sent
    bool keep_alive = true;  ///< the connection goes on afterwards
    bool http_1_0 = false;
};

/// Bytes waiting for one connection, in order. Not thread-safe.
class Outgoing {
public:
    /// `date` is the Date header's value.
    void append(Response response, const Framing& framing, std::string_view date);
    void append_raw(std::string_view bytes);

    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }

    /// The pieces not yet consumed.
    template <class Visit>
    void each_piece(Visit visit) const {
        for (std::size_t i = first_; i < pieces_.size(); ++i) {
            const std::string_view piece = pieces_[i].bytes;
            visit(i == first_ ? piece.substr(offset_) : piece);
        }
    }
    /// The first `bytes` have been sent.
    void consume(std::size_t bytes);

private:
    struct Piece {
        std::string bytes;
        bool open = true;  ///< more may be appended
    };
    std::string& tail();

    std::vector<Piece> pieces_;
    std::size_t first_ = 0;   ///< piece
    std::size_t offset_ = 0;  ///< within it
    std::size_t size_ = 0;
};

}  // namespace helios::http
