#pragma once
/// Runs the cases of a script against a flow: event -> catalogue -> log -> route -> engine ->
/// verdicts, as the server would, on a disk in memory and a manual clock. Nothing leaves the
/// process; hours pass in milliseconds.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/catalogue.h"
#include "reconcile/flow.h"

namespace helios::app {

struct CaseRunOptions {
    std::shared_ptr<const reconcile::Flow>
        flow;  ///< which cases begin with; absent: the shipped order flow
    const model::Catalogue* catalogue = &model::Catalogue::shipped();  ///< outlives the run
};

struct CaseSummary {
    std::size_t cases = 0;
    std::size_t expectations = 0;
    std::size_t failures = 0;  ///< expectations that do not hold, and steps that could not be taken
    /// What can't be understood or read of the script and of the flows it names, every complaint:
    /// "file:line: what". The cases that these stand in did not run.
    std::vector<Error> mistakes;
};

/// Given each complaint, "file:line: [case] what", in the script's order.
using OnComplaint = std::function<void(const std::string&)>;

/// Runs every case that can be understood. Flows that steps name by path are read relative to
/// `file`.
CaseSummary run_case_file(std::string_view text, const std::string& file,
                          const CaseRunOptions& options, const OnComplaint& complain);

}  // namespace helios::app
