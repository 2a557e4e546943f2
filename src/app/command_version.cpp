#include <fmt/format.h>
#include <memory>

#include "app/build_info.h"
#include "app/cli.h"
#include "base/json.h"
#include "base/time.h"

namespace helios::app {
namespace {

void print_text(const BuildInfo& info) {
    fmt::print("helios {}\n", info.version);
    fmt::print("commit  {}{}\n", info.commit.empty() ? "not known" : info.commit,
               info.modified ? ", and changes" : "");
    fmt::print("of      {}\n", format_rfc3339(info.committed));
    fmt::print("build   {}, {}, {}\n", info.build_type, info.compiler, info.processor);
}

void print_json(const BuildInfo& info) {
    json::Writer out;
    out.begin_object().field("version", info.version).key("commit");
    if (info.commit.empty()) {
        out.null();
    } else {
        out.string(info.commit);
    }
    out.field("modified", info.modified).field("committed", format_rfc3339(info.committed));
    out.field("buildType", info.build_type)
        .field("compiler", info.compiler)
        .field("processor", info.processor)
        .end_object();
    fmt::print("{}\n", out.view());
}

}  // namespace

Status check_clock(Instant now, const BuildInfo& info) {
    if (now >= std::chrono::floor<std::chrono::days>(info.committed)) {
        return {};
    }
    return fail(
        ErrorKind::invalid,
        fmt::format(
            "the clock of this machine is wrong: it says {}, and this program was made on {}",
            format_rfc3339(now), format_rfc3339(info.committed)),
        "set the clock and start again (`timedatectl` shows it): every event would be stamped with "
        "that time, and log time never "
        "goes back");
}

Command version_command() {
    struct VersionOptions {
        std::string format;
    };
    auto options = std::make_shared<VersionOptions>();
    Command command;
    command.name = "version";
    command.summary = "Print version, commit and build";
    command.description =
        "The first line is `helios` and the version. `of` is the commit's time; with a clock "
        "before that day the server does "
        "not\n"
        "start. A tree without its .git knows a day only.";
    command.examples = {"helios version", "helios version --json"};
    command.options = {{"--format",
                        "FORMAT",
                        "text (default) or json",
                        &options->format,
                        false,
                        {"text", "json"}}};
    command.run = [options] {
        options->format == "json" ? print_json(build_info()) : print_text(build_info());
        return 0;
    };
    return command;
}

}  // namespace helios::app
