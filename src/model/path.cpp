#include "model/path.h"

namespace helios::model {

Result<Path> Path::parse(std::string_view text) {
    Path path;
    path.text_ = text;
    const auto refuse = [&](std::string why) {
        return fail(ErrorKind::invalid, "bad path \"" + std::string(text) + "\": " + why,
                    "write keys separated by dots, like order.id; put a key with a dot in double "
                    "quotes; items[] walks an array");
    };
    std::size_t i = 0;
    while (true) {
        Segment segment;
        if (i < text.size() && text[i] == '"') {
            const auto close = text.find('"', i + 1);
            if (close == std::string_view::npos) {
                return refuse("the quote is never closed");
            }
            segment.key = text.substr(i + 1, close - i - 1);
            i = close + 1;
        } else {
            const auto end = std::min(text.find_first_of(".[\"", i), text.size());
            segment.key = text.substr(i, end - i);
            i = end;
        }
        if (segment.key.empty()) {
            return refuse("an empty key");
        }
        if (text.substr(i, 2) == "[]") {
            segment.each = true;
            i += 2;
        }
        path.segments_.push_back(std::move(segment));
        if (i == text.size()) {
            return path;
        }
        if (text[i] != '.') {
            return refuse(std::string("unexpected '") + text[i] + "'");
        }
        ++i;
    }
}

bool is_absent(json::Value value) {
    return !value || value.is_null() || (value.is_string() && value.text().empty());
}

Found lookup(json::Value root, const Path& path) {
    Found found;
    json::Value at = root;
    for (const auto& segment : path.segments()) {
        const auto next = at.find(segment.key);
        if (next && at.has_duplicate(segment.key)) {
            return {next, true, &path};
        }
        at = next;
    }
    if (!is_absent(at)) {
        found.value = at;
        found.path = &path;
    }
    return found;
}

Found lookup_first(json::Value root, const std::vector<Path>& paths) {
    for (const auto& path : paths) {
        if (auto found = lookup(root, path); found.duplicate || found.value) {
            return found;
        }
    }
    return {};
}

std::vector<json::Value> lookup_all(json::Value root, const Path& path, bool& duplicate) {
    std::vector<json::Value> at{root};
    for (const auto& segment : path.segments()) {
        std::vector<json::Value> next;
        for (const auto value : at) {
            if (!value.is_object()) {
                continue;
            }
            const auto child = value.find(segment.key);
            if (!child || child.is_null()) {
                continue;
            }
            duplicate = duplicate || value.has_duplicate(segment.key);
            if (!segment.each) {
                next.push_back(child);
            } else if (child.is_array()) {
                // Arrays can be long: at(i) may be linear, so walk them once by index in order.
                for (std::size_t i = 0; i < child.size(); ++i) {
                    next.push_back(child.at(i));
                }
            }
        }
        at = std::move(next);
    }
    return at;
}

}  // namespace helios::model
