// A reference to something callable, for the length of a call: two pointers, never allocates.
#pragma once
#include <type_traits>
#include <utility>

namespace fovea {

template <class Signature>
class FunctionRef;

template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  FunctionRef() = default;
  template <class Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef>)
  FunctionRef(Callable&& callable)  // NOLINT: implicit, so that a lambda can be passed as it is
      : target_(const_cast<void*>(static_cast<const void*>(&callable))),
        call_([](void* target, Args... args) -> Result {
          return (*static_cast<std::remove_reference_t<Callable>*>(target))(
              std::forward<Args>(args)...);
        }) {}

  Result operator()(Args... args) const { return call_(target_, std::forward<Args>(args)...); }
  explicit operator bool() const { return call_ != nullptr; }

 private:
  void* target_ = nullptr;
  Result (*call_)(void*, Args...) = nullptr;
};

}  // namespace fovea
