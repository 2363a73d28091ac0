namespace Postern.AspNetCore;

/// <summary>Protects an ASP.NET Core application with access tokens.</summary>
public static class PosternExtensions;
