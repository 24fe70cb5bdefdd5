"""Errors in the words and with the status that each kind of AWS service uses."""

from dataclasses import dataclass
from typing import Final


@dataclass
class AwsError(Exception):
    """A refusal that the wire module turns into the service's own error shape."""

    code: str
    message: str
    status: int = 400

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


# Services whose query-era codes live on although newer clients talk JSON to them.
_QUERY_ERA: Final = frozenset({"query", "rest-xml"})


def access_denied(
    service: str,
    protocol: str,
    iam_action: str,
    caller_arn: str,
    query_era: bool,
    resource: str = "*",
    explicit: bool = False,
) -> AwsError:
    """What a caller without the permission is told; `explicit` where a policy denies it."""
    what = iam_action if resource == "*" else f"{iam_action} on resource: {resource}"
    reason = f"because no identity-based policy allows the {iam_action} action"
    if explicit:
        reason = "with an explicit deny in an identity-based policy"
    message = f"User: {caller_arn} is not authorized to perform: {what} {reason}"
    if service == "ec2":
        return AwsError("UnauthorizedOperation", f"You are not authorized to perform this operation. {message}", 403)
    if query_era or protocol in _QUERY_ERA:
        return AwsError("AccessDenied", message, 403)
    # JSON services refuse with 400, REST services with 403.
    return AwsError("AccessDeniedException", message, 400 if protocol == "json" else 403)


def throttled(service: str, protocol: str, query_era: bool) -> AwsError:
    """What a caller over the rate is told."""
    if service == "ec2":
        return AwsError("RequestLimitExceeded", "Request limit exceeded.", 503)
    if service == "lambda":
        return AwsError("TooManyRequestsException", "Rate exceeded", 429)
    if query_era or protocol in _QUERY_ERA:
        return AwsError("Throttling", "Rate exceeded", 400)
    return AwsError("ThrottlingException", "Rate exceeded", 400)


def internal_error(service: str, protocol: str) -> AwsError:
    """A failure on AWS's side."""
    message = "An internal error has occurred. Retry your query. (simulated)"
    if service == "lambda":
        return AwsError("ServiceException", message, 500)
    if service == "ec2":
        return AwsError("InternalError", message, 500)
    return AwsError("InternalServerError" if protocol == "json" else "InternalFailure", message, 500)


def not_simulated(service: str, operation: str) -> AwsError:
    """Said with a code that clients don't retry; moto's own way is an HTML page with status 500."""
    return AwsError("InvalidAction", f"The simulated account does not implement {service}:{operation}.", 400)
