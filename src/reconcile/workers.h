#pragma once
/// A few threads that do what they are given, first come, first served: for offline work, which has
/// a machine to itself. Whoever hands work in takes the answers in the order that he wants.

#include <concepts>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace helios::reconcile {

/// Thread-safe. What has not begun when it goes is dropped; what has begun is waited for.
class Workers {
public:
    explicit Workers(unsigned threads);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// As many as there are processors, and at least one.
    static unsigned threads_of_this_machine();

    template <std::invocable Work>
    auto start(Work work) {
        using Answer = std::invoke_result_t<Work>;
        auto task = std::make_shared<std::packaged_task<Answer()>>(std::move(work));
        auto answer = task->get_future();
        enqueue([task] { (*task)(); });
        return answer;
    }

private:
    void enqueue(std::function<void()> task);
    void run(const std::stop_token& stop);

    Mutex mutex_;
    StoppableCondition changed_;
    std::deque<std::function<void()>> tasks_ HELIOS_GUARDED_BY(mutex_);
    std::vector<std::jthread> threads_;
};

/// What workers have been given and whose answers are taken in that order. Waits for all of it at
/// its end, so that the work may refer to what outlives this.
template <class Answer>
class InOrder {
public:
    explicit InOrder(Workers& workers) : workers_(workers) {}
    ~InOrder() {
        for (auto& one : ahead_) {
            one.wait();
        }
    }
    InOrder(const InOrder&) = delete;
    InOrder& operator=(const InOrder&) = delete;

    template <std::invocable Work>
    void start(Work work) {
        ahead_.push_back(workers_.start(std::move(work)));
    }
    std::size_t size() const { return ahead_.size(); }
    /// The oldest answer; waits for it.
    Answer take() {
        auto answer = ahead_.front().get();
        ahead_.pop_front();
        return answer;
    }

private:
    Workers& workers_;
    std::deque<std::future<Answer>> ahead_;
};

}  // namespace helios::reconcile
