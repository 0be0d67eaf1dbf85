package fibersession

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v3"
)

// requestOf copies the head of the request. The session keeps it for longer than fasthttp does, whose memory has the
// next request by then. Its context ends when the response is out, a stream too, and when a hijacked connection is
// closed: that is when fasthttp closes the values that belong to the request. It closes none of one that timed out.
func requestOf(c fiber.Ctx) (r *http.Request, end context.CancelFunc) {
	ctx := c.RequestCtx()
	r = &http.Request{
		Method: string(ctx.Method()), URL: urlOf(string(ctx.RequestURI()), string(ctx.Path())),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody,
		Host: string(ctx.Host()), RemoteAddr: ctx.RemoteAddr().String(), RequestURI: string(ctx.RequestURI()),
		TLS: ctx.TLSConnectionState(),
	}
	for key, value := range ctx.Request.Header.All() {
		if name := http.CanonicalHeaderKey(string(key)); name != "Host" {
			r.Header[name] = append(r.Header[name], string(value))
		}
	}
	untilSent, end := context.WithCancel(c.Context())
	over := &closer{end}
	ctx.SetUserValue(over, over)
	return r.WithContext(untilSent), end
}

// closer is a value whose Close ends a request.
type closer struct{ end context.CancelFunc }

// Close ends the request.
func (c *closer) Close() error {
	c.end()
	return nil
}

// handlers is the context that the handlers get. It has the values of the request, and does not end with it: in Fiber
// nothing does, and a goroutine may go on with it.
type handlers struct {
	context.Context                 // of before, with what the site has made it end by
	request         context.Context // with the session, and without an end
}

// Value answers as the context of the request does.
func (h handlers) Value(key any) any { return h.request.Value(key) }

// urlOf takes the path that fasthttp understood for a target that net/url does not.
func urlOf(target, path string) *url.URL {
	if u, err := url.ParseRequestURI(target); err == nil {
		return u
	}
	return &url.URL{Path: path}
}
