#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>
#include <vector>

#include "app/callers.h"
#include "app/cli.h"
#include "app/data_directory.h"
#include "app/listing.h"
#include "app/screen.h"
#include "app/setting.h"
#include "auth/api_keys.h"
#include "base/json.h"
#include "base/random.h"
#include "base/shown.h"

namespace helios::app {
namespace {

struct KeyArguments {
    std::string data = "./helios-data";
    std::string keys_file;
    std::string name;
    std::string role;
    std::string sources;
    std::string format = "table";
    Environment environment;
};

std::string file_of(const KeyArguments& arguments) {
    return arguments.keys_file.empty() ? keys_file(arguments.data) : arguments.keys_file;
}

Status make_directory(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) {
        return fail(ErrorKind::denied,
                    fmt::format("can't make the data directory {}: {}", path, error.message()),
                    "choose another one with --data");
    }
    return {};
}

/// The text goes to standard output alone, so that it can be sent on without being shown.
Result<int> add(const KeyArguments& arguments) {
    auth::ApiKeyEntropy entropy;
    fill_random(entropy);
    const auto made = auth::make_api_key(entropy);
    auth::ApiKey key;
    key.id = made.id;
    key.name = arguments.name;
    key.role = arguments.role == "operator" ? Role::operator_ : Role::sender;
    key.sources = split_list(arguments.sources);
    key.digest = made.digest;
    key.created = SystemClock().wall();
    if (arguments.keys_file.empty()) {  // a key may be made before the first start
        HELIOS_TRY(make_directory(arguments.data));
    }
    HELIOS_TRY(auth::change_api_keys(
        file_of(arguments), [&](auth::ApiKeys& keys) { return keys.add(std::move(key)); }));
    fmt::print("{}\n", made.text);
    fmt::print(stderr,
               "key {} of {}: this is the only time that it is shown; a server takes it within "
               "10 s\n",
               made.id, printable(arguments.name));
    return 0;
}

std::string sources_of(const auth::ApiKey& key) {
    return fmt::format("{}", fmt::join(key.sources, ","));
}

void print_as_json(const std::vector<auth::ApiKey>& keys) {
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const auto& key : keys) {
        out.begin_object().field("id", key.id).field("name", key.name);
        out.field("role", key.role == Role::operator_ ? "operator" : "sender");
        out.key("sources").begin_array();
        for (const auto& source : key.sources) {
            out.string(source);
        }
        out.end_array().field("createdAt", format_rfc3339(key.created)).key("revokedAt");
        if (key.revoked) {
            out.string(format_rfc3339(*key.revoked));
        } else {
            out.null();
        }
        out.end_object();
    }
    out.end_array().end_object();
    fmt::print("{}\n", out.view());
}

Result<int> ls(const KeyArguments& arguments) {
    HELIOS_TRY_ASSIGN(const auto file,
                      auth::ApiKeysFile::open(file_of(arguments), Duration::zero()));
    const auto keys = file->current();
    if (arguments.format == "json") {
        print_as_json(keys->all());
        return 0;
    }
    Terminal terminal(std::cout, screen_of(STDOUT_FILENO, arguments.environment));
    Listing table(terminal, {{"id"}, {"name"}, {"role"}, {"sources"}, {"created"}, {"revoked"}},
                  true);
    for (const auto& key : keys->all()) {
        table.row({{key.id},
                   {key.name},
                   {key.role == Role::operator_ ? "operator" : "sender"},
                   {sources_of(key)},
                   {format_rfc3339(key.created)},
                   {key.revoked ? format_rfc3339(*key.revoked) : std::string()}});
    }
    table.end();
    return 0;
}

Result<int> revoke(const KeyArguments& arguments) {
    std::string revoked;
    HELIOS_TRY(auth::change_api_keys(file_of(arguments), [&](auth::ApiKeys& keys) -> Status {
        HELIOS_TRY_ASSIGN(const auto key, keys.revoke(arguments.name, SystemClock().wall()));
        revoked = fmt::format("key {} of {} is revoked", key.id, key.name);
        return {};
    }));
    fmt::print(stderr, "{}; a server refuses it within 10 s\n", printable(revoked));
    return 0;
}

int done(const Result<int>& result) {
    return result ? *result : complain(result.error());
}

}  // namespace

Command key_command(const Environment& environment) {
    auto arguments = std::make_shared<KeyArguments>();
    arguments->environment = environment;
    auto& a = *arguments;
    const Option data{"--data", "DIR", "the data directory, default ./helios-data",
                      &a.data,  false, {}};
    const Option file{
        "--keys-file", "FILE", "where keys are kept (auth.keys_file), default DIR/keys.json",
        &a.keys_file,  false,  {}};
    Command add_command;
    add_command.name = "add";
    add_command.summary = "Make an API key and print it, once";
    add_command.description =
        "Operators read and work everything; senders bring events, for the sources that they "
        "name.\n"
        "The key is printed on standard output and kept nowhere: the file has its digest.\n"
        "Exit 0: made. Exit 2: usage, the name is in use, or the file can't be written.";
    add_command.examples = {
        "helios key add alice --role operator",
        "HELIOS_TOKEN=$(helios key add ci --role operator) helios stats --to https://helios:8001",
        "helios key add shop --role sender --sources shop,returns"};
    add_command.options = {
        {"NAME", "", "who it is for, as audit records will name it", &a.name, true, {}},
        {"--role", "ROLE", "operator or sender", &a.role, true, {"operator", "sender"}},
        {"--sources",
         "NAMES",
         "of a sender: the sources it speaks for, with commas between",
         &a.sources,
         false,
         {}},
        data,
        file};
    add_command.run = [arguments] { return done(add(*arguments)); };

    Command ls_command;
    ls_command.name = "ls";
    ls_command.summary = "List API keys, those that are revoked too";
    ls_command.examples = {"helios key ls", "helios key ls --format json"};
    ls_command.options = {
        data,
        file,
        {"--format", "FORMAT", "table (default) or json", &a.format, false, {"table", "json"}}};
    ls_command.run = [arguments] { return done(ls(*arguments)); };

    Command revoke_command;
    revoke_command.name = "revoke";
    revoke_command.summary = "Take an API key back; it is refused from then on";
    revoke_command.examples = {"helios key revoke alice"};
    revoke_command.options = {{"KEY", "", "its id, or its name", &a.name, true, {}}, data, file};
    revoke_command.run = [arguments] { return done(revoke(*arguments)); };

    Command command;
    command.name = "key";
    command.summary = "API keys: make, list, revoke";
    command.description =
        "Keys are for callers that do not sit on this machine: off loopback, or behind a proxy, a\n"
        "server asks who reads and who works it. Commands send the key in HELIOS_TOKEN.";
    command.subcommands = {add_command, ls_command, revoke_command};
    return command;
}

}  // namespace helios::app
