#include "hub_transfer.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct HubConnection {
    CURL *curl;
};

static void initialize(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

HubConnection *hub_connection_create(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize);
    HubConnection *connection = malloc(sizeof *connection);
    if (connection == NULL) return NULL;
    connection->curl = curl_easy_init();
    if (connection->curl != NULL) return connection;
    free(connection);
    return NULL;
}

void hub_connection_free(HubConnection *connection) {
    if (connection == NULL) return;
    curl_easy_cleanup(connection->curl);
    free(connection);
}

// MARK: - libcurl's callbacks

static size_t header(char *bytes, size_t size, size_t count, void *request) {
    const HubRequest *r = request;
    return r->on_header(r->context, bytes, size * count) ? size * count : 0;
}

static size_t body(char *bytes, size_t size, size_t count, void *request) {
    const HubRequest *r = request;
    // An answer without bytes must be told from "stop", which is also not the number of bytes.
    if (size * count == 0) return 0;
    return r->on_body(r->context, bytes, size * count) ? size * count : 0;
}

static int tick(void *request, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    const HubRequest *r = request;
    return r->on_tick(r->context) ? 0 : 1;
}

// MARK: - One request

/// `curl_easy_perform` without SIGPIPE, which TLS raises on a connection that the other side closed
/// and which would end the process. Ignoring it for the process is not a library's to do.
static CURLcode perform_without_sigpipe(CURL *curl) {
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    int was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    CURLcode code = curl_easy_perform(curl);
    if (!was_pending) {
        const struct timespec now = {0, 0};
        while (sigtimedwait(&pipe, NULL, &now) == SIGPIPE) {}
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static HubOutcome outcome(CURLcode code) {
    switch (code) {
    case CURLE_OK: return HUB_DONE;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK: return HUB_STOPPED;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_OUT_OF_MEMORY: return HUB_FAILED_FOR_GOOD;
    default: return HUB_FAILED;
    }
}

HubOutcome hub_perform(HubConnection *connection, const HubRequest *request,
                       char message[HUB_MESSAGE_SIZE]) {
    _Static_assert(HUB_MESSAGE_SIZE >= CURL_ERROR_SIZE, "libcurl writes up to CURL_ERROR_SIZE");
    CURL *curl = connection->curl;
    struct curl_slist *headers = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(headers, request->headers[i]);
        if (longer == NULL) {
            curl_slist_free_all(headers);
            strcpy(message, "out of memory");
            return HUB_FAILED_FOR_GOOD;
        }
        headers = longer;
    }

    // Keeps the connection.
    curl_easy_reset(curl);
    message[0] = 0;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    // By another name on old and new libcurls; 7.85 brought the one that is not deprecated.
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_NOBODY, request->headers_only ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, request->no_proxy);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (request->certificate_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->certificate_file);
    if (request->certificate_folder != NULL)
        curl_easy_setopt(curl, CURLOPT_CAPATH, request->certificate_folder);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, request->connect_timeout);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, request->stall_timeout);
    // Signals are the program's; names are looked up on a thread instead.
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);

    void *context = (void *)request;
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, context);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, context);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tick);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, context);

    CURLcode code = perform_without_sigpipe(curl);
    if (code != CURLE_OK && message[0] == 0) {
        strncpy(message, curl_easy_strerror(code), HUB_MESSAGE_SIZE - 1);
        message[HUB_MESSAGE_SIZE - 1] = 0;
    }
    // The headers and the request are the caller's and end here; libcurl must not keep pointers.
    curl_easy_reset(curl);
    curl_slist_free_all(headers);
    return outcome(code);
}

// MARK: - Addresses

static bool is_http(const char *scheme) {
    return strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
}

static char *part(CURLU *url, CURLUPart which, unsigned flags) {
    char *text = NULL;
    return curl_url_get(url, which, &text, flags) == CURLUE_OK ? text : NULL;
}

char *hub_resolved_url(const char *base, const char *link) {
    char *result = NULL;
    CURLU *url = curl_url();
    if (url == NULL) return NULL;
    if (curl_url_set(url, CURLUPART_URL, base, CURLU_URLENCODE) == CURLUE_OK
        && curl_url_set(url, CURLUPART_URL, link, CURLU_URLENCODE) == CURLUE_OK) {
        char *scheme = part(url, CURLUPART_SCHEME, 0);
        char *whole = part(url, CURLUPART_URL, 0);
        if (scheme != NULL && whole != NULL && is_http(scheme)) result = strdup(whole);
        curl_free(scheme);
        curl_free(whole);
    }
    curl_url_cleanup(url);
    return result;
}

char *hub_url_origin(const char *text) {
    char *result = NULL;
    CURLU *url = curl_url();
    if (url == NULL) return NULL;
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        char *scheme = part(url, CURLUPART_SCHEME, 0);
        char *host = part(url, CURLUPART_HOST, 0);
        char *port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        if (scheme != NULL && host != NULL && port != NULL && is_http(scheme)) {
            size_t size = strlen(scheme) + strlen(host) + strlen(port) + sizeof "://:";
            result = malloc(size);
            if (result != NULL) {
                strcpy(result, scheme);
                strcat(result, "://");
                strcat(result, host);
                strcat(result, ":");
                strcat(result, port);
                for (char *c = result; *c != 0; c++)
                    if (*c >= 'A' && *c <= 'Z') *c += 'a' - 'A';
            }
        }
        curl_free(scheme);
        curl_free(host);
        curl_free(port);
    }
    curl_url_cleanup(url);
    return result;
}

double hub_seconds_until(const char *date) {
    time_t then = curl_getdate(date, NULL);
    return then == (time_t)-1 ? -1 : difftime(then, time(NULL));
}
