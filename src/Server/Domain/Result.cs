using System.Diagnostics.CodeAnalysis;

namespace Postern.Domain;

/// <summary>A value, or the error to answer with. Refusals are results; exceptions are for bugs and outages.</summary>
public sealed class Result<T>
    where T : class
{
    private readonly T? value;
    private readonly OAuthError? error;

    private Result(T value) => this.value = value;

    private Result(OAuthError error) => this.error = error;

    public static implicit operator Result<T>(T value) => new(value);

    public static implicit operator Result<T>(OAuthError error) => new(error);

    public bool Failed([NotNullWhen(true)] out OAuthError? error, [NotNullWhen(false)] out T? value)
    {
        (error, value) = (this.error, this.value);
        return error is not null;
    }
}
