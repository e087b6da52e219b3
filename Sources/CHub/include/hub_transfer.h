/// HTTP requests through libcurl, one at a time on one connection.
///
/// In C, because libcurl's options are variadic, which Swift cannot call. libcurl rather than
/// FoundationNetworking's URLSession, which on Linux is a layer over libcurl that hides what is needed
/// here: a body that waits for a slow disk instead of piling up in memory, a proxy that is not the
/// process's, certificates of one's own; and which brings all of Foundation with it.
#ifndef HUB_TRANSFER_H
#define HUB_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A connection that is kept for the next request. Not to be used by two threads at once.
typedef struct HubConnection HubConnection;

typedef struct HubRequest {
    const char *_Nonnull url;
    /// Asks for the headers alone.
    bool headers_only;
    /// "Name: value", `header_count` of them.
    const char *_Nonnull const *_Nullable headers;
    size_t header_count;
    /// "" for none. The environment of the process is not looked at.
    const char *_Nonnull proxy;
    /// Hosts to reach without the proxy, with commas between; "" for none.
    const char *_Nonnull no_proxy;
    /// Certificates to trust in place of the system's: a file, a folder, or NULL.
    const char *_Nullable certificate_file;
    const char *_Nullable certificate_folder;
    /// Seconds until a connection must stand, and without a byte until one counts as dead.
    long connect_timeout, stall_timeout;

    void *_Nullable context;
    /// One line of the answer's headers. False ends the request.
    bool (*_Nonnull on_header)(void *_Nullable context, const char *_Nonnull line, size_t length);
    /// A piece of the answer's body. False ends the request.
    bool (*_Nonnull on_body)(void *_Nullable context, const void *_Nonnull bytes, size_t length);
    /// Called several times a second while bytes flow, and once a second while they do not. False
    /// ends the request.
    bool (*_Nonnull on_tick)(void *_Nullable context);
} HubRequest;

typedef enum HubOutcome {
    HUB_DONE,
    /// A callback ended it.
    HUB_STOPPED,
    /// The network; another attempt may succeed.
    HUB_FAILED,
    /// Certificates, an address that is none: another attempt would fail the same way.
    HUB_FAILED_FOR_GOOD,
} HubOutcome;

enum { HUB_MESSAGE_SIZE = 256 };

/// NULL without memory.
HubConnection *_Nullable hub_connection_create(void);
void hub_connection_free(HubConnection *_Nullable connection);

/// Sends a request and hears the answer out. Redirects are the caller's: a token must not follow
/// them to other hosts. `message` gets the words of a failure.
HubOutcome hub_perform(HubConnection *_Nonnull connection, const HubRequest *_Nonnull request,
                       char message[_Nonnull HUB_MESSAGE_SIZE]);

/// Where a link leads from `base`: a new string to be freed; NULL if it is none of http or https.
char *_Nullable hub_resolved_url(const char *_Nonnull base, const char *_Nonnull link);
/// Scheme, host and port of a URL, "https://example.org:443": a new string to be freed; NULL if it is
/// none of http or https.
char *_Nullable hub_url_origin(const char *_Nonnull url);
/// Seconds from now until a date of HTTP; negative if it is past or no date.
double hub_seconds_until(const char *_Nonnull date);

#ifdef __cplusplus
}
#endif

#endif
