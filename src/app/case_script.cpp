#include "case_script.h"

namespace helios::pipeline {
namespace {

std::string_view trim(std::string_view s) {
    const auto first = s.find_first_not_of(" \t\r");
    return first == std::string_view::npos ? std::string_view{} : s.substr(first, s.find_last_not_of(" \t\r") - first + 1);
}

/// Blank-separated words; quotes join: detail="a b".
std::vector<std::string> split(std::string_view s) {
    std::vector<std::string> out;
    std::string word;
    bool quoted = false, any = false;
    for (const char c : s) {
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (!quoted && (c == ' ' || c == '\t')) {
            if (any) {
                out.push_back(std::move(word));
            }
            word.clear();
            any = false;
        } else {
            word += c;
            any = true;
        }
    }
    if (any) {
        out.push_back(std::move(word));
    }
    return out;
}

}  // namespace

Result<std::vector<Case>> parse_script(std::string_view text, std::string_view file) {
    std::vector<Case> cases;
    int number = 0;
    Step* flow = nullptr;  // an inline flow that is being read
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view raw = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        if (flow != nullptr) {
            if (trim(raw) == "end") {
                flow = nullptr;
            } else {
                flow->body += std::string(raw) + "\n";
            }
            continue;
        }
        const std::string_view line = trim(raw);
        if (line.empty() || line[0] == '#') {
            continue;
        }
        Step step;
        step.line = number;
        const auto brace = line.find('{');
        std::vector<std::string> words = split(line.substr(0, brace));
        if (brace != std::string_view::npos) {
            step.body = line.substr(brace);
        }
        step.verb = words.front();
        step.words.assign(words.begin() + 1, words.end());
        if (step.verb == "case") {
            std::string name(trim(line.substr(4)));
            cases.push_back({std::move(name), number, {}});
            continue;
        }
        if (cases.empty()) {
            return fail(ErrorKind::invalid,
                        std::string(file) + ":" + std::to_string(number) + ": a step before the first `case NAME`");
        }
        cases.back().steps.push_back(std::move(step));
        if (cases.back().steps.back().verb == "flow" && cases.back().steps.back().words == std::vector<std::string>{"inline"}) {
            flow = &cases.back().steps.back();
        }
    }
    if (flow != nullptr) {
        return fail(ErrorKind::invalid, std::string(file) + ": an inline flow without `end`");
    }
    return cases;
}

}  // namespace helios::pipeline
