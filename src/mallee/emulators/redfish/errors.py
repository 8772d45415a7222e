"""Redfish error bodies: messages of the Base registry (DSP8011) with their arguments filled in."""

from typing import Final, NamedTuple

import msgspec
from aiohttp import web

REGISTRY: Final = "Base.1.18"

HEADERS: Final = {"OData-Version": "4.0", "Cache-Control": "no-cache"}


class _Text(NamedTuple):
    status: int
    severity: str
    text: str
    resolution: str


_MESSAGES: Final = {
    "ResourceMissingAtURI": _Text(
        404, "Critical", "The resource at the URI '{0}' was not found.", "Correct the URI."
    ),
    "NoValidSession": _Text(
        401,
        "Critical",
        "There is no valid session established with the implementation.",
        "Establish a session before attempting any operations.",
    ),
    "ResourceAtUriUnauthorized": _Text(
        401,
        "Critical",
        "While accessing the resource at '{0}', the service received an authorization error '{1}'.",
        "Ensure that the appropriate access is provided for the service.",
    ),
    "OperationNotAllowed": _Text(
        405,
        "Critical",
        "The HTTP method is not allowed on this resource.",
        "None.",
    ),
    "MalformedJSON": _Text(
        400,
        "Critical",
        "The request body submitted was malformed JSON and could not be parsed by the service.",
        "Ensure that the request body is valid JSON and resubmit the request.",
    ),
    "PropertyUnknown": _Text(
        400,
        "Warning",
        "The property {0} is not in the list of valid properties for the resource.",
        "Remove the unknown property from the request body and resubmit the request.",
    ),
    "PropertyNotWritable": _Text(
        400,
        "Warning",
        "The property {0} is a read-only property and cannot be assigned a value.",
        "Remove the property from the request body and resubmit the request.",
    ),
    "PropertyMissing": _Text(
        400,
        "Warning",
        "The property {0} is a required property and must be included in the request.",
        "Ensure that the property is in the request body and resubmit the request.",
    ),
    "PropertyValueTypeError": _Text(
        400,
        "Warning",
        "The value '{0}' for the property {1} is not a type that the property can accept.",
        "Correct the value for the property in the request body and resubmit the request.",
    ),
    "PropertyValueOutOfRange": _Text(
        400,
        "Warning",
        "The value '{0}' for the property {1} is not in the supported range of acceptable values.",
        "Correct the value for the property in the request body and resubmit the request.",
    ),
    "PropertyValueResourceConflict": _Text(
        409,
        "Warning",
        "The property '{0}' with the requested value of '{1}' could not be written because the "
        "value conflicts with the state or configuration of the resource at '{2}'.",
        "Reconcile the resource or property and resubmit the request.",
    ),
    "PreconditionFailed": _Text(
        412,
        "Critical",
        "The ETag supplied did not match the ETag required to change this resource.",
        "Try the operation again using the appropriate ETag.",
    ),
    "QueryParameterUnsupported": _Text(
        501,
        "Warning",
        "Query parameter '{0}' is not supported.",
        "Correct or remove the query parameter and resubmit the request.",
    ),
}


def error(
    key: str,
    *arguments: str,
    related: str = "",
    detail: str = "",
    headers: dict[str, str] | None = None,
) -> web.Response:
    """An error answer.

    Args:
        key: message of the Base registry.
        arguments: fill the message's places in order.
        related: JSON pointer of the property that it is about.
        detail: what the device itself says, put behind the registry's text.
    """
    message = _MESSAGES[key]
    text = message.text.format(*arguments) + (f" {detail}" if detail else "")
    info: dict[str, object] = {
        "@odata.type": "#Message.v1_1_2.Message",
        "MessageId": f"{REGISTRY}.{key}",
        "Message": text,
        "MessageArgs": list(arguments),
        "MessageSeverity": message.severity,
        "Resolution": message.resolution,
    }
    if related:
        info["RelatedProperties"] = [f"#/{related}"]
    body = {
        "error": {
            "code": f"{REGISTRY}.{key}",
            "message": text,
            "@Message.ExtendedInfo": [info],
        }
    }
    return web.Response(
        status=message.status,
        body=msgspec.json.encode(body),
        content_type="application/json",
        charset="utf-8",
        headers={**HEADERS, **(headers or {})},
    )
