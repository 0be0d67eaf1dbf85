package life

import (
	"context"
	"log/slog"
)

// Attrs are attributes of names and values, without those that are "".
func Attrs(namesAndValues ...string) (attrs []slog.Attr) {
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		if value := namesAndValues[i+1]; value != "" {
			attrs = append(attrs, slog.String(namesAndValues[i], value))
		}
	}
	return attrs
}

// log logs what happened in the life of a session, when no lock is held.
func (k *Keeper) log(ctx context.Context, level slog.Level, text string, args ...any) {
	if IsQuiet(ctx) {
		AfterQuiet(ctx, func() { k.log(context.WithoutCancel(ctx), level, text, args...) })
		return
	}
	k.Logger.Log(ctx, level, text, args...)
}

// DefaultLog logs to what slog.Default is by then: a program may set it after it has made its managers.
type DefaultLog struct{}

// Enabled asks the handler of slog.Default.
func (DefaultLog) Enabled(ctx context.Context, level slog.Level) bool {
	return slog.Default().Enabled(ctx, level)
}

// Handle gives the record to the handler of slog.Default.
func (DefaultLog) Handle(ctx context.Context, r slog.Record) error {
	return slog.Default().Handler().Handle(ctx, r)
}

// WithAttrs returns the handler of slog.Default as it is now, with these attributes.
func (DefaultLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return slog.Default().Handler().WithAttrs(attrs)
}

// WithGroup returns the handler of slog.Default as it is now, with this group.
func (DefaultLog) WithGroup(name string) slog.Handler {
	return slog.Default().Handler().WithGroup(name)
}
